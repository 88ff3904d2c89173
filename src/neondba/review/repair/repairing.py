"""Repair in memory, review what came of it, and keep only what holds.

A repair is kept when its finding is gone afterwards and no other has appeared. Some only become
possible after others: so it goes round until nothing is left to try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from neondba.project.facts import Facts
from neondba.project.gitignore import Ignores
from neondba.project.migration_writing.writing import Migrations
from neondba.project.tree import FolderTree
from neondba.review.engine import run
from neondba.review.finding import Edit, Reported
from neondba.review.identity import compared, trace_of
from neondba.review.repair.edits import Differs, apply, meet
from neondba.review.repair.guard import Guard
from neondba.review.repair.overlay import Overlay
from neondba.review.rule import Rule, rules

ROUNDS = 8
"""At least so many rounds are made, and one more for each finding: an edit may wait for one of its lines."""

Listener = Callable[[str, float | None], None]


@dataclass
class Repairs:
    """What the files read afterwards, and what became of each finding."""

    texts: dict[str, str] = field(default_factory=dict)
    done: list[Reported] = field(default_factory=list)
    because: dict[str, list[Reported]] = field(default_factory=dict)
    """Findings that each file was written for."""
    left: list[tuple[Reported, str]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    """Commands of the project's own tools that the user still has to run."""


@dataclass
class _Try:
    """One finding's repair in the making."""

    finding: Reported
    texts: dict[str, str]
    step: str = ""


_State = tuple[Overlay, Facts, list[Reported]]


def repaired(
    tree: FolderTree, guard: Guard, now: datetime, progress: Listener, wanted: Sequence[Reported]
) -> Repairs:
    """Repair the findings that are wanted, as far as it is safe.

    The rounds ask only the rules whose findings are repaired; at the end all rules are asked once. When one
    of them finds something new, everything is done again, and every repair is held against all rules.
    """
    codes = {finding.rule for finding in wanted if finding.repair}
    some = [rule for rule in rules().values() if rule.code in codes]
    made = Repairing(tree, guard, now, progress, some).repaired(wanted)
    if not made.texts:
        return made
    progress("Reviewing what the repairs came to", None)
    every = Repairing(tree, guard, now, progress, list(rules().values()))
    if not _fault(every.reviewed({})[2], every.reviewed(made.texts), made.done, made.texts):
        return made
    return every.repaired(wanted)


class Repairing:
    """Go round over one tree with some rules."""

    def __init__(
        self, tree: FolderTree, guard: Guard, now: datetime, progress: Listener, asked: Sequence[Rule]
    ) -> None:
        self._tree, self._guard, self._now, self._progress = tree, guard, now, progress
        self._rules = asked
        self._made = Repairs()
        self._refused: set[tuple[str, str]] = set()

    def repaired(self, wanted: Sequence[Reported]) -> Repairs:
        """Go round until there is nothing left to try."""
        targets = [trace_of(finding) for finding in wanted if finding.repair]
        overlay, facts, findings = self.reviewed({})
        for number in range(ROUNDS + len(targets)):
            self._progress(f"Repairing, round {number + 1}", None)
            _, open_, _ = compared(findings, targets)
            tries = self._tries(overlay, facts, [f for f in open_ if f.repair])
            if not tries:
                break
            kept = self._kept_together(tries, findings) or self._kept_alone(tries, findings)
            if kept is None:
                continue
            overlay, facts, findings = kept
        return self._made

    def reviewed(self, more: Mapping[str, str]) -> _State:
        """Ask the rules about the tree with what is repaired so far, and more."""
        overlay = Overlay(self._tree, {**self._made.texts, **more})
        facts = Facts(overlay)
        return overlay, facts, run(overlay, self._rules, facts).findings

    def _tries(self, overlay: Overlay, facts: Facts, findings: Sequence[Reported]) -> list[_Try]:
        """Prepare the repairs that do not touch each other's lines."""
        migrations = Migrations(overlay, facts, self._now)
        taken: list[Edit] = []
        tries = []
        for finding in findings:
            if _key(finding) in self._refused or meet(finding.edits, taken):
                continue
            prepared = self._prepared(overlay, migrations, finding)
            if prepared is not None:
                tries.append(prepared)
                taken += finding.edits
        return tries

    def _prepared(self, overlay: Overlay, migrations: Migrations, finding: Reported) -> _Try | None:
        """Give the texts that a repair makes; `None` where it cannot be made, which is noted."""
        prepared = _Try(finding, {})
        try:
            for path in dict.fromkeys(edit.path for edit in finding.edits):
                self._permit(path, prepared.texts)
                before = overlay.text(path) if path in overlay.paths else None
                prepared.texts[path] = apply(before, [e for e in finding.edits if e.path == path])
            if finding.change is not None:
                written = migrations.write(finding.change, finding.path)
                if written.why_not:
                    raise Differs(f"the migration was not written: {written.why_not}")
                for path in written.files:
                    self._permit(path, prepared.texts)
                prepared.texts |= written.files
                prepared.step = written.step
        except Differs as why:
            self._leave(finding, str(why))
            return None
        return prepared if prepared.texts else None

    def _permit(self, path: str, texts: dict[str, str]) -> None:
        why = self._guard.refuses(path)
        if not why and self._guard.is_new(path):
            # What git ignores may be settled by the same repair.
            seen = Overlay(self._tree, {**self._made.texts, **texts})
            why = "git ignores it" if Facts(seen).get(Ignores).ignores(path) else ""
        if why:
            raise Differs(f"{path}: {why}")

    def _leave(self, finding: Reported, why: str) -> None:
        self._refused.add(_key(finding))
        self._made.left.append((finding, why))

    def _kept_together(self, tries: list[_Try], before: Sequence[Reported]) -> _State | None:
        """Try all at once; `None` when one of them does not hold."""
        edits: dict[str, list[Reported]] = {}
        for one in tries:
            for path in dict.fromkeys(edit.path for edit in one.finding.edits):
                edits.setdefault(path, []).append(one.finding)
        texts = {path: text for one in tries for path, text in one.texts.items()}
        below = Overlay(self._tree, self._made.texts)
        try:
            for path, findings in edits.items():
                every = [e for f in findings for e in f.edits if e.path == path]
                texts[path] = apply(below.text(path) if path in below.paths else None, every)
        except Differs:
            return None
        state = self.reviewed(texts)
        if _fault(before, state, [one.finding for one in tries], texts):
            return None
        for one in tries:
            self._keep(one, texts)
        return state

    def _kept_alone(self, tries: list[_Try], before: Sequence[Reported]) -> _State | None:
        """Keep the first repair that holds by itself; the others come again in the next round."""
        for one in tries:
            state = self.reviewed(one.texts)
            fault = _fault(before, state, [one.finding], one.texts)
            if not fault:
                self._keep(one, one.texts)
                return state
            self._leave(one.finding, fault)
        return None

    def _keep(self, one: _Try, texts: dict[str, str]) -> None:
        self._made.done.append(one.finding)
        for path in one.texts:
            self._made.texts[path] = texts[path]
            self._made.because.setdefault(path, []).append(one.finding)
        if one.step and one.step not in self._made.steps:
            self._made.steps.append(one.step)


def _key(finding: Reported) -> tuple[str, str]:
    return finding.rule, finding.fingerprint


def _fault(
    before: Sequence[Reported], state: _State, tried: Sequence[Reported], texts: Mapping[str, str]
) -> str:
    """Say why repairs do not hold; nothing when they do."""
    _, facts, after = state
    if broken := next((item for item in facts.unparsed() if item.path in texts), None):
        return f"after the repair {broken.path} could not be read any more"
    new, _, gone = compared(after, [trace_of(finding) for finding in before])
    traces = [trace_of(finding) for finding in tried]
    lost = {(trace.rule, trace.path, trace.said) for trace in gone}
    if any((trace.rule, trace.path, trace.said) not in lost for trace in traces):
        return "after the repair the finding would still be there"
    mine = {(trace.rule, trace.path, trace.said) for trace in traces}
    # A finding about a folder of migrations stands at the newest of them: it moves, and is no other.
    moved = Counter(trace.rule for trace in gone if (trace.rule, trace.path, trace.said) not in mine)
    for finding in new:
        if not moved[finding.rule]:
            return f"after the repair {finding.rule} would be found in {finding.path}"
        moved[finding.rule] -= 1
    return ""
