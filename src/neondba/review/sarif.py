"""The report as SARIF 2.1.0."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from neondba.core.version import VERSION
from neondba.review.finding import Reported, Severity
from neondba.review.rule import rules

if TYPE_CHECKING:
    from neondba.review.model import Review

LEVELS = {
    Severity.CRITICAL: ("error", "9.5"),
    Severity.HIGH: ("error", "8.0"),
    Severity.MEDIUM: ("warning", "5.0"),
    Severity.LOW: ("note", "2.0"),
}


def log(review: Review) -> dict[str, Any]:
    """Write the findings as one SARIF run."""
    used = sorted({f.rule for f in review.findings})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "neondba",
                        "version": VERSION,
                        "rules": [_rule(code, review) for code in used],
                    }
                },
                "results": [_result(f, used.index(f.rule)) for f in review.findings],
            }
        ],
    }


def _rule(code: str, review: Review) -> dict[str, Any]:
    first = next(f for f in review.findings if f.rule == code)
    page = rules()[code].page if code in rules() else first.message
    return {
        "id": code,
        "name": first.name,
        "shortDescription": {"text": page.partition("\n")[0]},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": LEVELS[first.severity][0]},
        "properties": {"tags": [first.category], "security-severity": LEVELS[first.severity][1]},
    }


def _result(finding: Reported, index: int) -> dict[str, Any]:
    steps = "".join(f"\n{n}. {step}" for n, step in enumerate(finding.steps, start=1))
    same = hashlib.sha256(f"{finding.rule}|{finding.path}|{finding.evidence.text}".encode()).hexdigest()
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity][0],
        "message": {"text": finding.message + steps},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(finding.path)},
                    "region": {"startLine": max(1, finding.line)},
                }
            }
        ],
        "partialFingerprints": {"neondba/v1": same},
    }
