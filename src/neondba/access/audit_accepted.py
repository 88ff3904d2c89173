"""Findings of `role.audit` that the project has accepted, each with its reason.

    [tool.neondba.access.accepted]
    "public-reads" = "rates and countries are for everybody"
    "password-never-expires:app" = "rotated each quarter"

In `neondba.toml` the table is `[access.accepted]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from neondba.access.audit_results import Accepted, RoleFinding
from neondba.core.problem import ArgumentProblem
from neondba.core.settings import room_tables

FILE: Final = "[tool.neondba.access.accepted] in pyproject.toml, or [access.accepted] in neondba.toml"
_ROOM, _TABLE = "access", "accepted"


@dataclass
class Acceptances:
    """What the project file accepts, and which of it answered a finding."""

    reasons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Reason and file by CODE or CODE:ROLE."""
    used: set[str] = field(default_factory=set)

    def key(self, code: str, role: str) -> str | None:
        """Give what accepts a finding about a role, and note that it did."""
        found = next((each for each in (f"{code}:{role}", code) if each in self.reasons), None)
        if found:
            self.used.add(found)
        return found

    def take(self, findings: Iterable[RoleFinding]) -> tuple[list[RoleFinding], list[Accepted]]:
        """Part findings into those that are left, and those of which every role is accepted."""
        left, taken = [], []
        for each in findings:
            keys = [self.key(each.code, role) for role in each.roles]
            if keys and all(keys):
                taken += [self.accepted(key, each.said) for key in dict.fromkeys(filter(None, keys))]
            else:
                left.append(each)
        return left, taken

    def accepted(self, key: str, said: str) -> Accepted:
        """Give an accepted finding with its reason."""
        reason, source = self.reasons[key]
        return Accepted(finding=key, said=said, reason=reason, source=source)

    def idle(self) -> Iterator[str]:
        """Name what answers no finding."""
        for key, (_, source) in self.reasons.items():
            if key not in self.used:
                yield f'"{key}" in {source} accepts nothing that is found here.'


def acceptances(folder: Path) -> Acceptances:
    """Read what the project of a folder accepts.

    Raises:
        ArgumentProblem: an entry has no reason, or the table is none.
    """
    reasons = {}
    for source, room in room_tables(folder, _ROOM):
        for key, reason in _entries(room, source).items():
            if not isinstance(reason, str) or not reason.strip():
                raise ArgumentProblem(
                    "acceptance-invalid",
                    f'"{key}" under {_ROOM}.{_TABLE} in {source} has no reason.',
                    hint=f'Write why: "{key}" = "…".',
                )
            reasons[key] = (reason.strip(), Path(source).name)
    return Acceptances(reasons)


def _entries(room: dict[str, Any], source: str) -> dict[str, Any]:
    entries = room.get(_TABLE, {})
    if set(room) - {_TABLE} or not isinstance(entries, dict):
        raise ArgumentProblem(
            "acceptance-invalid",
            f"{_ROOM} in {source} takes one table, {_TABLE}.",
            hint=f'Write "CODE:ROLE" = "why" under {FILE}.',
        )
    return entries
