"""The report as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from neondba.review.finding import Reported

if TYPE_CHECKING:
    from neondba.review.model import Review


def document(review: Review) -> str:
    """Write the whole report as one Markdown text."""
    return "\n".join(_document(review)) + "\n"


def _document(review: Review) -> Iterator[str]:
    yield f"# Review of {_plain(review.project)}\n"
    yield f"{review.files:,} files, {review.lines:,} lines, {len(review.findings)} findings.\n"
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
        yield from (f"- {line.shown}: `{line.subject}`: {_plain(line.text)}" for line in proof.lines)
    gaps = [f"{gap.what}: {gap.missing}" for gap in review.not_checked]
    gaps += [f"{file.path}:{file.line}: {file.reason}" for file in review.unparsed]
    if gaps:
        yield "\n## Not checked\n"
        yield from (f"- {_plain(gap)}" for gap in gaps)
    if review.suppressed:
        yield "\n## Suppressed\n"
        yield from (f"- {s.rule} `{s.path}:{s.line}`: {_plain(s.reason)}" for s in review.suppressed)
    if review.next:
        yield "\n## Next\n"
        yield from (f"    {command}" for command in review.next)


def _finding(finding: Reported) -> Iterator[str]:
    yield f"\n### {finding.severity}: {_plain(finding.path)}:{finding.line} ({finding.rule} {finding.name})\n"
    yield _plain(finding.message)
    if finding.steps:
        yield ""
    yield from (f"{number}. {_plain(step)}" for number, step in enumerate(finding.steps, start=1))
    if finding.snippet.strip():
        fence = "````" if "```" in finding.snippet else "```"
        yield f"\n{fence}\n{textwrap.dedent(finding.snippet).strip()}\n{fence}"


def _plain(text: str) -> str:
    """Keep a project's own text from being read as markup."""
    return text.replace("<", "&lt;").replace("\n", " ")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")
