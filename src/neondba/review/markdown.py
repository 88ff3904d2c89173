"""The report as Markdown: for a pull request or a page.

A project's names and texts stay text: no tag, no link, no picture, nobody is called by `@name`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from neondba.review.finding import Reported
from neondba.review.gaps import bound, difference, gaps
from neondba.review.harmless import name, prose

if TYPE_CHECKING:
    from neondba.review.model import Review

SPAN = re.compile(r"(`+[^`\n]*`+)")


def document(review: Review) -> str:
    """Write the whole report as one Markdown text."""
    return "\n".join(_document(review)) + "\n"


def _document(review: Review) -> Iterator[str]:
    yield f"# Review of {_plain(review.project)}\n"
    yield f"{review.files:,} files, {review.lines:,} lines, {len(review.findings)} findings.\n"
    for said in (*difference(review), bound(review)):
        if said:
            yield f"{_plain(said)}\n"
    if not review.is_of_a_change:
        yield "| | verdict | because |\n| --- | --- | --- |"
        for verdict in review.verdicts:
            yield f"| {verdict.title} | **{verdict.standing}** | {_cell(verdict.because)} |"
    if review.findings:
        yield "\n## Findings"
    for finding in review.findings:
        yield from _finding(finding)
    for proof in review.proofs:
        yield f"\n## Shown on a branch: {proof.claim}\n"
        yield f"**{proof.shown}**: {_plain(proof.summary)}\n"
        yield from (f"- {line.shown}: {_code(line.subject)}: {_plain(line.text)}" for line in proof.lines)
    yield from _rest(review)


def _rest(review: Review) -> Iterator[str]:
    if found := gaps(review):
        yield "\n## Not checked\n"
        yield from (f"- {_plain(gap.text)}" for gap in found)
    if review.suppressed:
        yield "\n## Suppressed\n"
        yield from (
            f"- {s.rule} {_code(f'{s.path}:{s.line}')}: {_plain(s.reason)}" for s in review.suppressed
        )
    if review.next:
        yield "\n## Next\n"
        yield from (f"    {name(command)}" for command in review.next)


def _finding(finding: Reported) -> Iterator[str]:
    place = _code(f"{finding.path}:{finding.line}")
    yield f"\n### {finding.severity}: {place} ({finding.rule} {finding.name})\n"
    yield _plain(finding.message)
    if finding.evidence.text:
        yield f"\n{finding.evidence.kind}: {_code(finding.evidence.text)}"
    if finding.way:
        yield "\nway: " + " → ".join(_code(step) for step in finding.way)
    if finding.steps:
        yield ""
    yield from (f"{number}. {_plain(step)}" for number, step in enumerate(finding.steps, start=1))
    if finding.snippet.strip():
        yield _block(textwrap.dedent(finding.snippet).strip())
    said = [f"`--fix` {_plain(finding.repair)}"] if finding.repair else []
    said += [f"known? {_code(finding.ignore)}"] if finding.ignore else []
    if said:
        yield "\n" + " · ".join(said)


def _block(text: str) -> str:
    """Fence a text with more ticks than it holds."""
    longest = max((len(ticks) for ticks in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"\n{fence}\n{prose(text)}\n{fence}"


def _code(text: str) -> str:
    """Write a name or a line as code, whatever it holds; GitHub calls nobody and links nothing there."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    gap = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{gap}{name(text)}{gap}{ticks}"


def _plain(text: str) -> str:
    """Keep a project's own text from being read as markup; only its code spans stay."""
    parts = SPAN.split(name(text.replace("\n", " ")))
    return "".join(part if number % 2 else _escaped(part) for number, part in enumerate(parts))


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = re.sub(r"([\[\]`*])", r"\\\1", text)
    return text.replace("@", "@<!-- -->")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")
