"""What `access.history` answers."""

from __future__ import annotations

import textwrap
from datetime import datetime
from itertools import groupby
from typing import Literal

from pydantic import BaseModel


class AccessEvent(BaseModel):
    """Something that happened at a known time."""

    at: datetime
    role: str | None
    address: str | None
    """As the server saw it; behind a proxy that is the proxy's."""
    application: str = ""
    did: str
    tables: tuple[str, ...] = ()
    evidence: str


class CountedUse(BaseModel):
    """What a role has done to a table, as often as it was counted."""

    role: str
    did: str
    tables: tuple[str, ...]
    calls: int
    rows: int
    since: datetime | None
    """When counting began: when within it is not known."""


class TableUse(BaseModel):
    """What was done to a table, by whomever."""

    table: str
    inserted: int
    updated: int
    deleted: int
    reads: int
    last_read: datetime | None


class Source(BaseModel):
    """One place where use is recorded."""

    name: str
    state: Literal["used", "partly", "not checked"]
    said: str
    switch_on: tuple[str, ...] = ()
    """Steps that make it tell more from now on."""


class AccessHistory(BaseModel):
    """Who connected and what they did, as far as there is evidence."""

    project: str
    branch: str
    database: str
    events: tuple[AccessEvent, ...]
    matching: int
    """How many events fit; more than shown where there is a limit."""
    counted: tuple[CountedUse, ...]
    tables: tuple[TableUse, ...]
    sources: tuple[Source, ...]

    def as_text(self, width: int) -> str:
        """Show it in a terminal: events, counts, then what is not known and how to know it."""
        wide = max(60, width)
        parts = [f"{self.project}/{self.branch}, database {self.database}", ""]
        parts += self._events(wide)
        parts += self._counted()
        parts += self._tables()
        parts.append("Where this is from, and what would tell more:")
        for source in self.sources:
            parts += textwrap.wrap(
                f"{source.state:11} {source.name}: {source.said}", wide, subsequent_indent=" " * 12
            )
            for step in source.switch_on:
                parts += textwrap.wrap(
                    f"do: {step}", wide, initial_indent=" " * 12, subsequent_indent=" " * 16
                )
        return "\n".join(parts)

    def _events(self, wide: int) -> list[str]:
        if not self.events:
            return ["No login and no access has left a trace that can be placed in time.", ""]
        lines = []
        for said, alike in groupby(self.events, _said):
            first, *more = alike
            last = f", {len(more) + 1} times until {more[-1].at:%Y-%m-%d %H:%M:%S}" if more else ""
            lines += textwrap.wrap(
                f"{first.at:%Y-%m-%d %H:%M:%S}  {said}{last}  [{first.evidence}]",
                wide,
                subsequent_indent=" " * 21,
            )
        if self.matching > len(self.events):
            lines.append(f"{self.matching - len(self.events)} older events fit too: --limit 0 shows all.")
        return [*lines, ""]

    def _counted(self) -> list[str]:
        if not self.counted:
            return []
        rows = [("role", "did", "to", "times", "rows", "since, at the earliest")]
        rows += [
            (
                each.role,
                each.did,
                ", ".join(each.tables) or "-",
                str(each.calls),
                str(each.rows),
                f"{each.since:%Y-%m-%d %H:%M}" if each.since else "-",
            )
            for each in self.counted
        ]
        return [*_columns(rows), ""]

    def _tables(self) -> list[str]:
        if not self.tables:
            return []
        rows = [("table, by anybody", "added", "changed", "deleted", "reads", "last read")]
        rows += [
            (
                each.table,
                str(each.inserted),
                str(each.updated),
                str(each.deleted),
                str(each.reads),
                f"{each.last_read:%Y-%m-%d %H:%M}" if each.last_read else "-",
            )
            for each in self.tables
        ]
        return [*_columns(rows), ""]


def _columns(rows: list[tuple[str, str, str, str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return [
        "  ".join(f"{one:<{each}}" for one, each in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _said(event: AccessEvent) -> str:
    on = f" {', '.join(event.tables)}" if event.tables else ""
    by = f" ({event.application})" if event.application else ""
    return f"{event.role or 'somebody'}{by} from {event.address or 'an address not shown'}: {event.did}{on}"
