"""Who connected and what pgaudit noted, from a server's log: plain text, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

_LINE: Final = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) (?P<zone>\S+) (?P<rest>.*?)"
    r"\b(?P<level>LOG|FATAL|ERROR|WARNING|NOTICE|PANIC):  (?P<said>.*)",
    re.DOTALL,
)
_BEGINS: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_PID: Final = re.compile(r"\[(\d+)\]")
_RECEIVED: Final = re.compile(r"connection received: host=(?P<host>\S+)")
_AUTHORIZED: Final = re.compile(
    r"connection authorized: user=(?P<user>.+?) database=(?P<database>.+?)"
    r"(?: application_name=(?P<application>.*?))?(?: SSL enabled .*)?$"
)
_REPLICATION: Final = re.compile(r"replication connection authorized: user=(?P<user>\S+)")
_ENDED: Final = re.compile(
    r"disconnection: session time: (?P<time>\S+) user=(?P<user>.+?) database=(?P<database>.+?)"
    r" host=(?P<host>\S+)"
)
_REFUSED: Final = re.compile(
    r'(?:password|\w+) authentication failed for user "(?P<a>[^"]+)"|role "(?P<b>[^"]+)" does not exist'
    r'|no pg_hba\.conf entry for host "(?P<host>[^"]+)", user "(?P<c>[^"]+)"'
    r'|role "(?P<d>[^"]+)" is not permitted to log in'
)
_AUDIT: Final = re.compile(r"AUDIT: (?:SESSION|OBJECT),")
_UTC: Final = frozenset({"UTC", "GMT", "Z", "Etc/UTC"})
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)?")


@dataclass(frozen=True)
class Noted:
    """One thing that a log says."""

    at: datetime
    line: int
    role: str | None
    database: str | None
    address: str | None
    did: str
    """`logged in`, `left`, `was refused`, or pgaudit's class and command."""
    on: str = ""
    """The object, where pgaudit names it."""
    application: str = ""
    statement: str = field(default="", repr=False)
    """What pgaudit wrote down: may hold people's data, so it is never shown."""


@dataclass(frozen=True)
class _Record:
    at: datetime
    line: int
    pid: str
    level: str
    said: str
    user: str | None = None
    database: str | None = None
    host: str | None = None


@dataclass
class _Session:
    user: str | None = None
    database: str | None = None
    host: str | None = None


class LogReader:
    """Read one log; count what cannot be placed in time."""

    def __init__(self) -> None:
        self.unplaced: dict[str, int] = {}
        """Lines by time zone that is neither UTC nor an offset."""
        self.first: datetime | None = None
        self.audits = 0
        self._sessions: dict[str, _Session] = {}

    def read(self, text: str) -> Iterator[Noted]:
        """Give what a log says of logins and of access, in its order."""
        for record in self._records(text):
            self.first = self.first or record.at
            yield from self._noted(record)

    def _records(self, text: str) -> Iterator[_Record]:
        head = text.lstrip()[:1]
        if head == "{":
            return self._json(text)
        if re.match(r"\s*[^,\n]{19,40},[^,\n]*,[^,\n]*,\d+,", text):
            return self._csv(text)
        return self._plain(text)

    def _plain(self, text: str) -> Iterator[_Record]:
        for number, whole in _wholes(text.splitlines(keepends=True)):
            found = _LINE.match(whole)
            at = self._time(found["at"], found["zone"]) if found else None
            if found and at:
                pid = _PID.search(found["rest"])
                yield _Record(at, number, pid[1] if pid else "", found["level"], found["said"].rstrip("\n"))

    def _json(self, text: str) -> Iterator[_Record]:
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                entry = json.loads(line)
                at = self._time(*str(entry["timestamp"]).rsplit(" ", 1))
            except (ValueError, KeyError, TypeError):
                continue
            if at:
                yield _Record(
                    at,
                    number,
                    str(entry.get("pid", "")),
                    str(entry.get("error_severity", "")),
                    str(entry.get("message", "")),
                    entry.get("user"),
                    entry.get("dbname"),
                    entry.get("remote_host"),
                )

    def _csv(self, text: str) -> Iterator[_Record]:
        rows = csv.reader(io.StringIO(text))
        for row in rows:
            if len(row) < 14:
                continue
            when, _, zone = row[0].rpartition(" ")
            at = self._time(when, zone)
            if at:
                host = re.sub(r":\d+$", "", row[4]) or None
                yield _Record(
                    at, rows.line_num, row[3], row[11], row[13], row[1] or None, row[2] or None, host
                )

    def _time(self, text: str, zone: str) -> datetime | None:
        moment = datetime.fromisoformat(text)
        if zone in _UTC:
            return moment.replace(tzinfo=UTC)
        offset = _OFFSET.fullmatch(zone)
        if offset is None:
            self.unplaced[zone] = self.unplaced.get(zone, 0) + 1
            return None
        length = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return (moment - length if offset[1] == "+" else moment + length).replace(tzinfo=UTC)

    def _noted(self, record: _Record) -> Iterator[Noted]:
        session = self._sessions.setdefault(record.pid, _Session())
        said = record.said
        if found := _RECEIVED.match(said):
            self._sessions[record.pid] = _Session(host=found["host"])
        elif found := _AUTHORIZED.match(said):
            session.user, session.database = found["user"], found["database"]
            yield _made(record, session, "logged in", application=found["application"] or "")
        elif found := _REPLICATION.match(said):
            session.user = found["user"]
            yield _made(record, session, "logged in for replication")
        elif found := _ENDED.match(said):
            session.host = session.host or found["host"]
            session.user, session.database = found["user"], found["database"]
            yield _made(record, session, f"left after {found['time'].partition('.')[0]}")
        elif record.level == "FATAL" and (found := _REFUSED.search(said)):
            session.user = found["a"] or found["b"] or found["c"] or found["d"]
            session.host = session.host or found["host"]
            yield _made(record, session, "was refused")
        elif _AUDIT.match(said):
            yield from self._audit(record, session)

    def _audit(self, record: _Record, session: _Session) -> Iterator[Noted]:
        try:
            fields = next(csv.reader(io.StringIO(said_of(record.said))))
        except (StopIteration, csv.Error):
            return
        if len(fields) >= 8:
            self.audits += 1
            did = f"{fields[3].lower()}: {fields[4].lower()}"
            yield _made(record, session, did, on=fields[6], statement=fields[7])


def said_of(text: str) -> str:
    """Give what stands behind pgaudit's mark; log lines of one statement begin with a tab."""
    return text.partition("AUDIT: ")[2].replace("\n\t", "\n")


def _wholes(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Join the lines of each entry; give it with the number of its first line."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(lines, start=1):
        if _BEGINS.match(line):
            if parts:
                yield begun, "".join(parts)
            begun, parts = number, []
        if begun:
            parts.append(line)
    if parts:
        yield begun, "".join(parts)


def _made(
    record: _Record,
    session: _Session,
    did: str,
    *,
    on: str = "",
    application: str = "",
    statement: str = "",
) -> Noted:
    return Noted(
        at=record.at,
        line=record.line,
        role=record.user or session.user,
        database=record.database or session.database,
        address=session.host or record.host,
        did=did,
        on=on,
        application=application,
        statement=statement,
    )
