"""What `role.audit` answers."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel

_SHOWN_ROWS: Final = 12
"""Evidence lines and names that a terminal gets of one finding; JSON has all."""


class Danger(StrEnum):
    """How bad it is, worst first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Evidence(BaseModel):
    """Why a claim is made."""

    kind: Literal["shown", "read", "not checked"]
    """Shown by acting as the role or by the server's own check; read from a catalog, a file or the API."""
    said: str


class RoleFinding(BaseModel):
    """Something that a role may do and should not, or that nobody can vouch for."""

    code: str
    danger: Danger
    said: str
    """What is wrong, and what can come of it."""
    roles: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    mend: tuple[str, ...] = ()
    """Statements or commands that end it: nothing of it has been done."""
    then: str = ""
    """Who will feel the mending, and how."""


class Accepted(BaseModel):
    """A finding that somebody has accepted, and why."""

    finding: str
    """Its code, or the code and the role."""
    said: str
    reason: str
    source: str
    """The project file that says so."""

    def is_about(self, role: str) -> bool:
        """Tell whether it is about a role: one that names no role is about all."""
        return ":" not in self.finding or self.finding.endswith(f":{role}")


class RoleLine(BaseModel):
    """One role in short."""

    name: str
    can_login: bool
    powers: tuple[str, ...]
    """What it carries beside grants: BYPASSRLS, CREATEROLE and the like, its own or through membership."""
    acts_as: tuple[str, ...]
    """Roles that it may become, or make itself able to."""
    owns: int
    """Tables and views."""
    seen: str
    """When it was last seen, as far as that can be known."""


class RightGroup(BaseModel):
    """Tables with which a role may do the same, for the same reason."""

    may: str
    by: str
    tables: tuple[str, ...]


class SchemaRights(BaseModel):
    """What one role may do in one schema, summed up."""

    role: str
    schema_name: str
    owns: int
    reads: int
    writes: int
    """Tables in which it may insert, update, delete or truncate."""
    of: int
    creates: bool
    rights: tuple[RightGroup, ...] = ()
    """With --role: each table, what it may do with it, and by what."""


class RoleAudit(BaseModel):
    """Who may do what in a database, worst first."""

    project: str
    branch: str
    database: str
    server_version: str
    role: str | None
    """The one role that was asked about."""
    findings: tuple[RoleFinding, ...]
    roles: tuple[RoleLine, ...]
    matrix: tuple[SchemaRights, ...]
    not_checked: tuple[str, ...]
    accepted: tuple[Accepted, ...] = ()
    """Findings that the project file accepts; no finding any more."""

    def as_text(self, width: int) -> str:
        """Show it in a terminal: danger first, then the matrix, then what was not looked at."""
        wide = max(60, width)
        parts = [self._head(), ""]
        for number, finding in enumerate(self.findings, start=1):
            parts += [*_finding(number, finding, wide), ""]
        parts += [*self._roles(), "", *self._matrix(wide)]
        if self.not_checked:
            parts += ["", "Not checked:"]
            for each in self.not_checked:
                parts += textwrap.wrap(each, wide, initial_indent="- ", subsequent_indent="  ")
        if self.accepted:
            parts += ["", "Accepted:"]
            for one in self.accepted:
                text = f"{one.finding}: {one.reason} ({one.source})"
                parts += textwrap.wrap(text, wide, initial_indent="- ", subsequent_indent="  ")
        if any(finding.mend for finding in self.findings):
            parts += ["", "Nothing was changed. All statements in one file: --format sql"]
        if self.findings:
            parts += self._accepting(wide)
        return "\n".join(parts)

    def as_sql(self) -> str:
        """Give what mends the findings, to be read, chosen from and run by its reader."""
        lines = [f"-- {self._head()}", "-- A proposal: nothing of it was run. Take what you agree with."]
        for finding in self.findings:
            if finding.mend:
                lines += ["", *_comment(f"{finding.danger.upper()}: {finding.said}")]
                lines += _comment(finding.then) if finding.then else []
                for each in finding.mend:
                    lines += [each] if _is_statement(each) else _comment(each)
        return "\n".join([*lines, ""])

    def _head(self) -> str:
        where = f"{self.project}/{self.branch}, database {self.database}, PostgreSQL {self.server_version}"
        counts = [
            f"{count} {danger}"
            for danger in Danger
            if (count := sum(each.danger is danger for each in self.findings))
        ]
        about = f" about role {self.role}" if self.role else ""
        findings = "finding" if len(self.findings) == 1 else "findings"
        return f"{where}: {', '.join(counts) if counts else 'no'} {findings}{about}."

    def _accepting(self, wide: int) -> list[str]:
        """Say how to accept, with the finding that matters least."""
        last = self.findings[-1]
        key = f"{last.code}:{last.roles[0]}" if last.roles else last.code
        text = f'To accept a finding, write why, as "{key}" = "…", under [tool.neondba.access.accepted] in '
        return textwrap.wrap(f"{text}pyproject.toml, or [access.accepted] in neondba.toml.", wide)

    def _roles(self) -> list[str]:
        rows = [("role", "login", "carries", "may become", "owns", "last seen")]
        rows += [
            (
                each.name,
                "yes" if each.can_login else "no",
                _carried(each.powers),
                _short(each.acts_as),
                str(each.owns),
                each.seen,
            )
            for each in self.roles
        ]
        return _columns(rows)

    def _matrix(self, wide: int) -> list[str]:
        if not self.matrix:
            return ["No role may do anything with any table here."]
        rows = [("role", "schema", "owns", "reads", "writes", "of tables", "creates")]
        rows += [
            (
                each.role,
                each.schema_name,
                str(each.owns),
                str(each.reads),
                str(each.writes),
                str(each.of),
                "yes" if each.creates else "no",
            )
            for each in self.matrix
        ]
        lines = _columns(rows)
        for each in self.matrix:
            for right in each.rights:
                text = f"{right.may} ({right.by}): {_short(right.tables, 8)}"
                lines += textwrap.wrap(text, wide, initial_indent="  ", subsequent_indent="    ")
        return lines


def _finding(number: int, finding: RoleFinding, wide: int) -> list[str]:
    head = f"{number}. {finding.danger.upper()} {finding.code}: {finding.said}"
    lines = textwrap.wrap(head, wide, subsequent_indent="   ")
    for each in finding.evidence[:_SHOWN_ROWS]:
        lines += textwrap.wrap(
            f"{each.kind}: {each.said}", wide, initial_indent="   ", subsequent_indent="     "
        )
    if len(finding.evidence) > _SHOWN_ROWS:
        lines.append(f"   and {len(finding.evidence) - _SHOWN_ROWS} more: --format json")
    lines += [f"   do: {each}" for each in finding.mend[:_SHOWN_ROWS]]
    if len(finding.mend) > _SHOWN_ROWS:
        lines.append(f"   and {len(finding.mend) - _SHOWN_ROWS} more: --format sql")
    if finding.then:
        lines += textwrap.wrap(f"then: {finding.then}", wide, initial_indent="   ", subsequent_indent="     ")
    return lines


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(f"{one:<{each}}" for one, each in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _short(names: tuple[str, ...], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown or "-"


def _carried(powers: tuple[str, ...]) -> str:
    """Leave out what every member of neon_superuser has: the line must fit."""
    shown = [each for each in powers if each in ("BYPASSRLS", "neon_superuser")]
    return ", ".join(shown if "neon_superuser" in powers else powers) or "-"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="-- ", subsequent_indent="-- ")


def _is_statement(text: str) -> bool:
    return text.endswith(";")
