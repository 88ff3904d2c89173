"""One project, the clients that write to it and change it, and what they were promised."""

from __future__ import annotations

import http.client
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import local_http
import psycopg

ACCOUNTS = 50
BUSY = 423
OPEN = 1 << 60
"""No end yet: the copy was asked for and not answered."""
TABLES = """
create table ledger (n bigint primary key, note text not null default repeat('x', 200));
create table account (id int primary key, balance bigint not null);
create table mark (word text primary key);
create table person (id int primary key, email text not null);
create index on ledger (note, n);
"""


class Gone(Exception):
    """The server was killed before it answered."""


@dataclass(frozen=True)
class Content:
    """What a branch may hold: the ledger up to some number between two, and marks."""

    low: int
    """Acknowledged before the branch was asked for."""
    high: int
    """The last that had been tried when it was answered."""
    marks: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    """Marks that were tried, but not acknowledged."""


@dataclass
class Doubt:
    """Branches that were asked for and not acknowledged: there or not."""

    names: set[str]
    contents: list[Content]


@dataclass
class Faults:
    """What went wrong; empty when all is well."""

    said: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Note one."""
        self.said.append(text)


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Ask the API once.

    Raises:
        Gone: there is nobody, or nobody any more.
    """
    try:
        return local_http.ask(port, method, path, body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Gone(str(error)) from error


@dataclass
class Shop:
    """A project and what of it was promised."""

    project: str
    main: str
    port: int
    state: Path | None = None
    """The state folder, for the command line."""
    contents: dict[str, list[Content]] = field(default_factory=dict)
    """What each acknowledged branch may hold; main's is the writer's."""
    doubts: list[Doubt] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)
    """Branches whose deletion was asked for."""
    left: set[str] = field(default_factory=set)
    """Branches whose deletion was acknowledged."""
    preserved: dict[str, list[Content]] = field(default_factory=dict)
    """By name: promised with a restore that was acknowledged."""
    snapshots: dict[str, list[Content]] = field(default_factory=dict)
    dropping: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    things: dict[str, set[str]] = field(default_factory=lambda: {"roles": set(), "databases": set()})
    unsure: set[str] = field(default_factory=set)
    """Roles and databases whose making or dropping was not acknowledged."""
    masked: set[str] = field(default_factory=set)
    young: set[str] = field(default_factory=set)
    """Branches without a history of their parent's."""
    points: dict[str, tuple[str, Content]] = field(default_factory=dict)
    """A place in the log of a branch, and what the branch held there."""
    acknowledged: set[int] = field(default_factory=set)
    tried: int = 0
    faults: Faults = field(default_factory=Faults)
    answers: dict[str, int] = field(default_factory=dict)
    number: int = 0

    @property
    def base(self) -> str:
        """The path of the project."""
        return f"/projects/{self.project}"

    @property
    def last(self) -> int:
        """The last number that was acknowledged."""
        return max(self.acknowledged, default=0)

    def name(self, kind: str) -> str:
        """Give a name that was not used."""
        self.number += 1
        return f"{kind}-{self.number}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask for a change; give the answer, or None when it was refused."""
        status, answer = ask(self.port, method, self.base + path, body)
        said = f"{method} {path.split('/')[1 if path.count('/') < 3 else -1].split('?')[0]} {status}"
        self.answers[said] = self.answers.get(said, 0) + 1
        if status >= 500:
            self.faults.add(f"{method} {path} answered {status}: {answer.get('message')}")
        elif status >= 400 and status != BUSY:
            self.faults.add(f"{method} {path} refused with {status}: {answer.get('message')}")
        return answer if status < 300 else None

    def uri(self, branch: str, role: str = "neondb_owner", endpoint: str = "") -> str:
        """Give a connection string."""
        query = f"branch_id={branch}&database_name=neondb&role_name={role}"
        query += f"&endpoint_id={endpoint}" if endpoint else ""
        status, answer = ask(self.port, "GET", f"{self.base}/connection_uri?{query}")
        if status != 200:
            raise psycopg.OperationalError(f"no connection string of {branch}: {status} {answer}")
        return str(answer["uri"])

    def now(self) -> Content:
        """Say what a copy of main that is asked for now holds at least."""
        return Content(self.last, OPEN)

    def until_now(self, begun: Content) -> Content:
        """Say what the copy holds at most, now that it is answered."""
        return replace(begun, high=self.tried) if begun.high == OPEN else begun

    def write(self, stop: threading.Event) -> None:
        """Commit numbers and transfers to main through the proxy until told to stop."""
        while not stop.is_set():
            with suppress(psycopg.Error, Gone), psycopg.connect(self.uri(self.main)) as session:
                while not stop.is_set():
                    self.tried += 1
                    number = self.tried
                    give = "update account set balance = balance + %s where id = %s"
                    session.execute("insert into ledger (n) values (%s)", [number])
                    session.execute(give, [-number, number % ACCOUNTS])
                    session.execute(give, [number, (number * 7 + 1) % ACCOUNTS])
                    session.commit()
                    self.acknowledged.add(number)
                    stop.wait(0.002)
            stop.wait(0.05)


def opened(port: int, name: str) -> Shop:
    """Create a project with tables that hold together."""
    _, made = ask(port, "POST", "/projects", {"project": {"name": name}})
    shop = Shop(made["project"]["id"], made["branch"]["id"], port)
    with psycopg.connect(made["connection_uris"][0]["connection_uri"], autocommit=True) as session:
        session.execute(TABLES)
        session.execute(f"insert into account select g, 0 from generate_series(0, {ACCOUNTS - 1}) g")
        session.execute(
            "insert into person select g, 'p' || g || '@real.test' from generate_series(1, 200) g"
        )
    return shop


def chosen(chance: Random, found: Any) -> Any:
    """Choose one of a collection; None when it is empty."""
    ordered = sorted(found)
    return chance.choice(ordered) if ordered else None
