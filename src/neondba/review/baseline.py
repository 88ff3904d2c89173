"""Today's findings, accepted: a file in the repository that later reviews leave out.

It holds what each finding says and fingerprints, no line of the project and no secret. A moved line
stays accepted; an entry that no finding answers any more is told of.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from neondba.core.problem import ArgumentProblem, NotFoundProblem, wrong_value
from neondba.review.finding import Reported
from neondba.review.identity import Trace, trace_of

NAME = "neondba-baseline.json"
"""Where a baseline lies by default: at the top of the folder under review."""


class Entry(BaseModel):
    """One accepted finding."""

    rule: str = Field(pattern=r"^NDB\d{3}$")
    path: str
    message: str
    text: str = ""
    """Fingerprint of the line."""
    said: str
    """Fingerprint of the message."""
    times: int = Field(default=1, ge=1)


class Baseline(BaseModel):
    """The whole file."""

    version: int = Field(ge=1, le=1)
    about: str = "Findings that neondba review leaves out. Write it anew: neondba baseline write"
    findings: list[Entry]

    def traces(self) -> list[Trace]:
        """Give what the entries stand for, each as often as it counts."""
        return [
            Trace(e.rule, e.path, e.text, e.said, 0, e.message) for e in self.findings for _ in range(e.times)
        ]


def made_of(findings: Sequence[Reported]) -> Baseline:
    """Accept findings as they are."""
    counted = Counter(_entry(trace_of(finding)) for finding in findings)
    entries = [
        Entry(rule=rule, path=path, message=message, text=text, said=said, times=times)
        for (rule, path, message, text, said), times in sorted(counted.items())
    ]
    return Baseline(version=1, findings=entries)


def _entry(trace: Trace) -> tuple[str, str, str, str, str]:
    return trace.rule, trace.path, trace.message, trace.text, trace.said


def text_of(baseline: Baseline) -> str:
    """Give the file's text: sorted, one finding after the other, so that differences read well."""
    return json.dumps(baseline.model_dump(exclude_defaults=False), indent=1, ensure_ascii=True) + "\n"


def parsed(text: str, name: str) -> Baseline:
    """Read a baseline.

    Raises:
        ArgumentProblem: it is no baseline.
    """
    try:
        data: Any = json.loads(text)
        return Baseline.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise _refused(name, f"{place}: {wrong_value(first)}") from None
    except (ValueError, RecursionError) as error:
        raise _refused(name, f"it is no JSON: {error}") from None


def read(file: Path, shown: str) -> Baseline:
    """Read the baseline that the user names.

    Raises:
        NotFoundProblem: there is no such file.
        ArgumentProblem: it is no baseline.
    """
    try:
        return parsed(file.read_text(encoding="utf-8"), shown)
    except FileNotFoundError:
        raise NotFoundProblem(
            "baseline-not-found",
            f"There is no baseline at {shown}.",
            hint="Write one: neondba review --write-baseline",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(shown, str(error)) from None


def told(traces: Iterable[Trace]) -> list[str]:
    """Name entries that answer nothing any more."""
    return [f"{trace.rule} {trace.path}: {trace.message}" for trace in traces]


def _refused(name: str, why: str) -> ArgumentProblem:
    return ArgumentProblem(
        "baseline-unreadable",
        f"{name} cannot be used as a baseline: {why}.",
        hint="Write it anew: neondba review --write-baseline",
    )
