"""The report as a tired person reads it: verdicts, findings, what was shown, what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from neondba.core.proof import Proof, Shown
from neondba.review.finding import Reported, Severity
from neondba.review.gaps import bound, difference, gaps
from neondba.review.harmless import name
from neondba.review.verdict import Standing, Verdict

if TYPE_CHECKING:
    from neondba.review.model import Review

Line = list[tuple[str, str]]

IN_FULL = 25
"""Findings told in full; further ones get one line each."""

MOST_GAPS = 12
"""Reasons why something was not checked; further ones are only counted."""

SNIPPET = 20
"""Lines of one snippet; the rest is only counted."""

NARROWEST, WIDEST = 72, 110
"""Columns; paths and snippets are never broken, whatever their length."""

STANDINGS = {Standing.MET: "green", Standing.NOT_MET: "bold red", Standing.NOT_PROVEN: "yellow"}
SEVERITIES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
SHOWN = {
    Shown.HOLDS: ("green", "holds"),
    Shown.FAILS: ("bold red", "fails"),
    Shown.NOT_CHECKED: ("yellow", "not checked"),
}


def lines(review: Review, width: int) -> list[Line]:
    """Lay the whole report out for a terminal of `width` columns."""
    width = max(NARROWEST, min(width, WIDEST))
    return [
        *_head(review, width),
        *_verdicts(review, width),
        *_findings(review, width),
        *_proofs(review, width),
        *_gaps(review, width),
        *_next(review),
    ]


def _head(review: Review, width: int) -> Iterator[Line]:
    yield [("bold", f"Review of {review.project}")]
    counts = f"{_count(review.files, 'file')}, {_count(review.lines, 'line')}, {review.seconds:.1f} s"
    by_severity = [
        f"{number} {severity}"
        for severity in Severity
        if (number := sum(f.severity is severity for f in review.findings))
    ]
    yield [("dim", f"{counts} · "), ("", ", ".join(by_severity) if by_severity else "no findings")]
    for said in (*difference(review), bound(review)):
        for row in textwrap.wrap(said, width):
            yield [("", row)]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _verdicts(review: Review, width: int) -> Iterator[Line]:
    if review.is_of_a_change:
        return
    for kind, title in (("duty", "The five duties"), ("criterion", "The four success criteria")):
        yield []
        yield [("bold", title)]
        for verdict in review.verdicts:
            if verdict.kind == kind:
                yield from _verdict(verdict, width)


def _verdict(verdict: Verdict, width: int) -> Iterator[Line]:
    yield [("", "  "), (STANDINGS[verdict.standing], f"{verdict.standing:<11}"), ("", verdict.title)]
    for row in textwrap.wrap(verdict.because, width - 15):
        yield [("dim", " " * 13 + row)]


def _findings(review: Review, width: int) -> Iterator[Line]:
    if not review.findings:
        return
    yield []
    yield [("bold", f"Findings ({len(review.findings)})")]
    for number, finding in enumerate(review.findings, start=1):
        if number <= IN_FULL:
            yield from _finding(number, finding, width)
        else:
            if number == IN_FULL + 1:
                yield []
            yield [
                ("", f"{number:>3}  "),
                (SEVERITIES[finding.severity], f"{finding.severity:<8}"),
                ("", f" {name(finding.path)}:{finding.line}  "),
                ("dim", f"{finding.rule} {finding.name}"),
            ]


def _finding(number: int, finding: Reported, width: int) -> Iterator[Line]:
    yield []
    yield [
        ("", f"{number:>3}  "),
        (SEVERITIES[finding.severity], f"{finding.severity}"),
        ("bold", f"  {name(finding.path)}:{finding.line}"),
        ("dim", f"  {finding.rule} {finding.name}"),
    ]
    for row in textwrap.wrap(finding.message, width - 5):
        yield [("", "     " + row)]
    if finding.evidence.text:
        yield [("dim", f"     {finding.evidence.kind}: {finding.evidence.text[: width - 13]}")]
    for place, step in enumerate(finding.way):
        yield [("dim", f"     {'way:' if place == 0 else '  →':<5}"), ("", name(step)[: width - 10])]
    for count, step in enumerate(finding.steps, start=1):
        rows = textwrap.wrap(step, width - 8)
        for first, row in enumerate(rows):
            yield [("", f"     {count}. {row}" if first == 0 else f"        {row}")]
    yield from _snippet(finding.snippet)
    if finding.repair:
        yield [("dim", "     --fix "), ("", finding.repair)]
    yield [("dim", f"     known? {finding.ignore}")]


def _snippet(snippet: str) -> Iterator[Line]:
    rows = textwrap.dedent(snippet).strip("\n").split("\n") if snippet.strip() else []
    for row in rows[:SNIPPET]:
        yield [("green", f"        {row}")]
    if len(rows) > SNIPPET:
        yield [("dim", f"        and {_count(len(rows) - SNIPPET, 'more line')}: --format json gives all")]


def _proofs(review: Review, width: int) -> Iterator[Line]:
    for proof in review.proofs:
        yield []
        yield [("bold", f"Shown on a branch: {proof.claim}"), ("dim", f"  {proof.seconds:.1f} s")]
        yield from _proof(proof, width)


def _proof(proof: Proof, width: int) -> Iterator[Line]:
    style, word = SHOWN[proof.shown]
    for first, row in enumerate(textwrap.wrap(proof.summary, width - 16)):
        yield [(style, f"  {word:<12}" if first == 0 else " " * 14), ("", row)]
    for line in proof.lines:
        style, word = SHOWN[line.shown]
        for first, row in enumerate(textwrap.wrap(f"{line.subject}: {line.text}", width - 18)):
            yield [(style, f"    {word:<12}" if first == 0 else " " * 16), ("", row)]
    if proof.missing:
        yield [("dim", f"    missing: {proof.missing}")]


def _gaps(review: Review, width: int) -> Iterator[Line]:
    found = gaps(review)
    if found:
        yield []
        yield [("bold", "Not checked")]
    for gap in found[:MOST_GAPS]:
        for row in textwrap.wrap(gap.text, width - 4, subsequent_indent="  "):
            yield [("dim", f"  {row}")]
    if len(found) > MOST_GAPS:
        yield [("dim", f"  and {len(found) - MOST_GAPS} more reasons: --format json lists all")]
    if review.suppressed:
        yield []
        yield [("bold", f"Suppressed, with reasons ({len(review.suppressed)})")]
    for known in review.suppressed:
        yield [("dim", f"  {known.rule} {name(known.path)}:{known.line}: {known.reason}"[:width])]


def _next(review: Review) -> Iterator[Line]:
    if review.next:
        yield []
        yield [("bold", "Next")]
    for command in review.next:
        yield [("", "  "), ("cyan", command)]
