"""The report as SARIF 2.1.0: for code scanning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from neondba.core.version import VERSION
from neondba.review.finding import Reported, Severity
from neondba.review.gaps import gaps
from neondba.review.harmless import name, prose
from neondba.review.page import MARKER
from neondba.review.rule import rules

if TYPE_CHECKING:
    from neondba.review.model import Review

LEVELS = {
    Severity.CRITICAL: ("error", "9.5"),
    Severity.HIGH: ("error", "8.0"),
    Severity.MEDIUM: ("warning", "5.0"),
    Severity.LOW: ("note", "2.0"),
}
STEP = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?:\s+(?P<name>.*))?", re.DOTALL)


def log(review: Review) -> dict[str, Any]:
    """Write the findings as one SARIF run."""
    used = sorted({f.rule for f in review.findings})
    driver = {
        "name": "neondba",
        "version": VERSION,
        "rules": [_rule(code, review) for code in used],
    }
    notes = [{"level": "note", "message": {"text": prose(gap.text)}} for gap in gaps(review)]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": [_result(f, used.index(f.rule), review.prefix) for f in review.findings],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }


def _rule(code: str, review: Review) -> dict[str, Any]:
    first = next(f for f in review.findings if f.rule == code)
    worst = min((f.severity for f in review.findings if f.rule == code), key=lambda s: s.rank)
    page = rules()[code].page if code in rules() else first.message
    title, _, rest = page.partition("\n")
    plain = rest.strip().partition("\n## ")[0]
    return {
        "id": code,
        "name": first.name,
        "shortDescription": {"text": title},
        "fullDescription": {"text": plain or title},
        "help": {"text": page, "markdown": MARKER.sub("", page)},
        "defaultConfiguration": {"level": LEVELS[worst][0]},
        "properties": {
            "tags": [first.category],
            "precision": "high",
            "security-severity": LEVELS[worst][1],
        },
    }


def _result(finding: Reported, index: int, prefix: str) -> dict[str, Any]:
    steps = "".join(f"\n{n}. {step}" for n, step in enumerate(finding.steps, start=1))
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity][0],
        "message": {"text": prose(finding.message + steps)},
        "locations": [_place(finding, prefix)],
        "partialFingerprints": {"neondba/v1": finding.fingerprint},
    }
    flow = [_step(step, prefix) for step in finding.way]
    if flow:
        flow.append({"location": _place(finding, prefix)})
        made["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    return made


def _step(step: str, prefix: str) -> dict[str, Any]:
    """Read one `path:line name` of a way; what is not written so keeps its text alone."""
    match = STEP.fullmatch(step)
    if match is None:
        return {"location": {"message": {"text": name(step)}}}
    place = _location(prefix + match["path"], int(match["line"]))
    return {"location": {**place, "message": {"text": name(match["name"] or step)}}}


def _place(finding: Reported, prefix: str) -> dict[str, Any]:
    """Give the line, or the object of a database that no file names."""
    if not finding.is_in_file:
        return {"logicalLocations": [{"fullyQualifiedName": name(finding.path)}]}
    return _location(prefix + finding.path, finding.line)


def _location(path: str, line: int) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(path, errors="replace"), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": max(1, line)},
        }
    }
