"""The report as GitHub workflow commands: each finding becomes a note beside its line.

A name or a message must not end its command and begin another: `%`, line breaks, and in properties
`:` and `,` are escaped as GitHub's own runner does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neondba.review.finding import Reported, Severity
from neondba.review.gaps import difference, gaps
from neondba.review.harmless import name, prose

if TYPE_CHECKING:
    from neondba.review.model import Review

KINDS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
}


def commands(review: Review) -> str:
    """Write one command for each finding, and what was not checked as notices."""
    return "\n".join(_commands(review))


def _commands(review: Review) -> Iterator[str]:
    for finding in review.findings:
        yield _finding(finding, review.prefix)
    for gap in gaps(review):
        yield f"::notice title=neondba did not check::{_data(gap.text)}"
    for said in difference(review):
        yield f"::notice title=neondba::{_data(said)}"
    number = len(review.findings)
    yield f"neondba: {number} finding{'' if number == 1 else 's'} in {review.files} files"


def _finding(finding: Reported, prefix: str) -> str:
    title = f"{finding.rule} {finding.name} ({finding.severity})"
    parts = [finding.message, *(f"{n}. {step}" for n, step in enumerate(finding.steps, start=1))]
    if finding.way:
        parts.append("Way: " + " -> ".join(name(step) for step in finding.way))
    place = f"title={_property(title)}"
    if finding.is_in_file:
        place = f"file={_property(prefix + finding.path)},line={max(1, finding.line)},{place}"
    return f"::{KINDS[finding.severity]} {place}::{_data(prose(chr(10).join(parts)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    # A path must name its file, so nothing is taken out of it; what is not plain is escaped as bytes.
    plain = _data(text).replace(":", "%3A").replace(",", "%2C")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in plain)
