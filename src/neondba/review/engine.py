"""Run the rules over the facts and settle what counts."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pydantic import BaseModel

from neondba.core.collector import collector_resting
from neondba.project.facts import Facts, Unavailable
from neondba.project.tree import Tree
from neondba.review import identity, suppression
from neondba.review.catalog import confirmed, in_one_line
from neondba.review.finding import Category, Evidence, EvidenceKind, Finding, Reported, Severity
from neondba.review.memory import Memory
from neondba.review.rule import Rule
from neondba.review.suppression import Suppression

SUPPRESSION = "NDB001"
"""Code of findings about suppressions themselves."""


class NotChecked(BaseModel):
    """What could not be looked at, and what is missing for it."""

    what: str
    """A rule's code and name, a claim, or a file."""
    missing: str


class Suppressed(BaseModel):
    """A finding that the project has answered."""

    rule: str
    path: str
    line: int
    reason: str


@dataclass
class Outcome:
    """Everything the rules said."""

    findings: list[Reported] = field(default_factory=list)
    suppressed: list[Suppressed] = field(default_factory=list)
    not_checked: list[NotChecked] = field(default_factory=list)


@collector_resting()
def run(
    tree: Tree,
    rules: Iterable[Rule],
    facts: Facts | None = None,
    progress: Callable[[str, float | None], None] = lambda _message, _done: None,
    memory: Memory | None = None,
) -> Outcome:
    """Apply rules to a tree; findings come sorted by severity, path and line."""
    facts = facts or Facts(tree)
    memory = memory or Memory(tree)
    wishes = _Wishes(tree)
    outcome = Outcome()
    chosen = list(rules)
    gaps: list[tuple[Rule, str]] = []
    for number, rule in enumerate(chosen):
        progress(f"Checking {rule.name}", number / len(chosen))
        found, gap = memory.asked(facts, rule, _asked)
        if gap:
            gaps.append((rule, gap))
        for finding in dict.fromkeys(found):
            wish = wishes.answering(rule, finding)
            if wish is not None:
                outcome.suppressed.append(
                    Suppressed(rule=rule.code, path=finding.path, line=finding.line, reason=wish.reason)
                )
            elif not _is_told(outcome, rule, finding):
                outcome.findings.append(_reported(tree, rule, finding))
    outcome.findings += wishes.faults({rule.code for rule in chosen} | {rule.name for rule in chosen})
    outcome.findings = _one_per_place(outcome.findings)
    outcome.not_checked = [NotChecked(what=what, missing=missing) for what, missing in in_one_line(gaps)]
    return outcome


def _is_told(outcome: Outcome, rule: Rule, finding: Finding) -> bool:
    """Tell whether a rule that reads files has the same cause already."""
    known = [f for f in outcome.findings if f.rule == rule.shows]
    answered = [(s.path, s.line) for s in outcome.suppressed if s.rule == rule.shows]
    return confirmed(finding, known, answered)


def _asked(facts: Facts, rule: Rule) -> tuple[list[Finding], str]:
    """Give a rule's findings, or why it could not look."""
    try:
        return list(facts.call(rule.check)), ""
    except Unavailable as missing:
        return [], str(missing)
    except RecursionError:
        return [], "a file is nested too deeply to be followed"
    except Exception as error:  # noqa: BLE001 - one broken rule must not cost the user all others
        place = traceback.extract_tb(error.__traceback__)[-1]
        return [], f"our own fault, please report it: {type(error).__name__} in {place.name}:{place.lineno}"


def _one_per_place(findings: list[Reported]) -> list[Reported]:
    unique = {(f.rule, f.path, f.line, _said(f)): f for f in reversed(findings)}
    return sorted(unique.values(), key=lambda f: (f.severity.rank, f.path, f.line, f.rule))


def _said(finding: Reported) -> str:
    """Tell objects of a database apart that the project writes in one line."""
    return finding.message if finding.evidence.kind is EvidenceKind.SHOWN else ""


def _reported(tree: Tree, rule: Rule, finding: Finding) -> Reported:
    line = "" if finding.masked else _line(tree, finding.path, finding.line)
    made = Reported(
        rule=rule.code,
        name=rule.name,
        category=rule.category,
        severity=finding.severity or rule.severity,
        path=finding.path,
        line=finding.line,
        message=finding.message,
        steps=list(finding.steps),
        snippet=finding.snippet,
        evidence=Evidence(
            kind=EvidenceKind.SHOWN if finding.is_shown else EvidenceKind.READ,
            text=finding.evidence or line,
        ),
        way=list(finding.way),
        repair=_repair(finding),
        ignore=suppression.comment(finding.path, rule.code),
        context=" ".join(line.split()),
        edits=finding.edits,
        change=finding.change,
    )
    return made.model_copy(update={"fingerprint": identity.fingerprint(made)})


def _repair(finding: Finding) -> str:
    """Say what `--fix` does about a finding."""
    made = {edit.path for edit in finding.edits if not edit.old}
    files = dict.fromkeys(edit.path for edit in finding.edits)
    said = [f"{'creates' if path in made else 'edits'} {path}" for path in files]
    if finding.change and finding.path.endswith((".ts", ".mts", ".js")):
        said.append("leaves the migration to drizzle-kit")
    elif finding.change:
        said.append(f"writes a migration: {finding.change.name}")
    return " and ".join(said)


def _line(tree: Tree, path: str, number: int) -> str:
    from neondba.review.masking import masked

    lines = (tree.text(path) or "").split("\n")
    return masked(lines[number - 1].strip()[:160]) if 0 < number <= len(lines) else ""


class _Wishes:
    """The suppressions of a tree, and which of them were needed."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._inline: dict[str, list[Suppression]] = {}
        self._configured = suppression.configured(tree)

    def answering(self, rule: Rule, finding: Finding) -> Suppression | None:
        """Give the suppression that answers a finding, if it says why."""
        if finding.path not in self._inline:
            self._inline[finding.path] = suppression.inline(self._tree, finding.path)
        for wish in [*self._inline[finding.path], *self._configured]:
            if wish.covers(rule.code, rule.name, finding.path, finding.line):
                wish.used = True
                if wish.reason:
                    return wish
        return None

    def faults(self, ran: set[str]) -> list[Reported]:
        """Report suppressions without a reason, and those that answer nothing."""
        for path in self._tree.paths:
            if path not in self._inline and path.endswith((".py", ".sql", ".ts", ".tsx", ".prisma", ".toml")):
                self._inline[path] = suppression.inline(self._tree, path)
        every = [*self._configured, *(w for wishes in self._inline.values() for w in wishes)]
        found = []
        for wish in every:
            known = wish.rule == "*" or wish.rule.upper() in ran or wish.rule.lower() in ran
            if known and not wish.used:
                found.append(self._fault(wish, "answers nothing any more", "Remove it."))
            elif known and not wish.reason:
                found.append(
                    self._fault(
                        wish, "gives no reason, so it is not followed", "Write why after the bracket."
                    )
                )
        return found

    def _fault(self, wish: Suppression, text: str, step: str) -> Reported:
        text_read = _line(self._tree, wish.source, wish.line)
        made = Reported(
            rule=SUPPRESSION,
            name="suppression",
            category=Category.PRODUCTION,
            severity=Severity.LOW,
            path=wish.source,
            line=wish.line,
            message=f"The suppression of {wish.rule} {text}.",
            steps=[step],
            snippet="",
            evidence=Evidence(text=text_read),
            context=text_read,
        )
        return made.model_copy(update={"fingerprint": identity.fingerprint(made)})
