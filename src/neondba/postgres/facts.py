"""What PostgreSQL does, as scripts/facts.py saw it on every release at hand.

Rules decide by these facts and pages cite them: `fact:add-column-default-now`. The cases stand in `facts/`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from neondba.core.problem import NotFoundProblem

NEWEST: Final = 18
"""The release that counts where none is named."""
READS_WAIT: Final = ("AccessExclusiveLock",)
WRITES_WAIT: Final = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", *READS_WAIT)


class Fact(BaseModel):
    """What one statement locked, rewrote, read or refused."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: str
    """The server it was seen on."""
    subject: str
    title: str
    sql: str | tuple[str, ...]
    """What was executed, on a table `item` that refers to a table `owner`."""
    before: str = ""
    """What had been executed before."""
    meanwhile: str = ""
    """What another session was doing."""
    queued: str = ""
    """What a third one waited with."""
    role: str = ""
    claim: str = ""
    """What a guide says that this shows to be false."""
    locks: dict[str, str] = {}
    """The strongest lock on each table that was watched."""
    rewrites: tuple[str, ...] = ()
    """Tables that were written anew."""
    reads: tuple[str, ...] = ()
    """Tables whose rows were all read."""
    error: str | None = None
    """The SQLSTATE where it was refused."""
    at: str | None = None
    """Which of several statements was refused."""
    in_transaction: bool = True
    """Whether it runs inside a transaction."""
    answer: tuple[dict[str, Any], ...] = ()

    @property
    def lock(self) -> str | None:
        """The strongest lock on any of the tables, such as `AccessExclusiveLock`."""
        order = [mode for mode in self.locks.values() if mode in WRITES_WAIT]
        return max(order, key=WRITES_WAIT.index, default=next(iter(self.locks.values()), None))

    @property
    def writes_wait(self) -> bool:
        """True when INSERT, UPDATE and DELETE wait until it ends."""
        return any(mode in WRITES_WAIT for mode in self.locks.values())

    @property
    def reads_wait(self) -> bool:
        """True when SELECT waits until it ends."""
        return any(mode in READS_WAIT for mode in self.locks.values())

    @property
    def grows(self) -> bool:
        """True when it takes the longer the more rows there are."""
        return bool(self.rewrites or self.reads)

    @property
    def blocks(self) -> bool:
        """True when others wait for as long as the table is large."""
        return self.writes_wait and self.grows

    @property
    def seen(self) -> str:
        """What was seen, in a few words."""
        if self.error and not self.locks:
            return f"refused with {self.error}"
        parts = [f"{table}: {mode.removesuffix('Lock')}" for table, mode in self.locks.items()]
        parts += [f"rewrites {', '.join(self.rewrites)}"] if self.rewrites else []
        parts += [f"reads all of {', '.join(self.reads)}"] if self.reads else []
        parts += ["takes the same time however large the table is"] if self.locks and not self.grows else []
        parts += [] if self.in_transaction else ["not inside a transaction"]
        parts += [f"refused with {self.error}"] if self.error else []
        parts += [", ".join(self.values()[:8])] if self.answer else []
        return "; ".join(parts) or "done"

    def values(self) -> list[str]:
        """Give the only column of the rows that it gave."""
        return [str(value) for row in self.answer for value in row.values()]


@cache
def releases() -> tuple[int, ...]:
    """Give the major releases that were looked at, newest first."""
    folder = files("neondba.postgres") / "recorded"
    found = (f.name.removesuffix(".json") for f in folder.iterdir() if f.name.endswith(".json"))
    return tuple(sorted((int(name) for name in found), reverse=True))


@cache
def facts(release: int = NEWEST) -> dict[str, Fact]:
    """Read what was recorded on one release, by id."""
    text = (files("neondba.postgres") / "recorded" / f"{release}.json").read_text(encoding="utf-8")
    recorded = json.loads(text)
    version = recorded["version"]
    return {
        name: Fact.model_validate(fact | {"id": name, "version": version})
        for name, fact in recorded["facts"].items()
    }


def fact(wanted: str, release: int = NEWEST) -> Fact:
    """Give one fact by its id.

    Raises:
        NotFoundProblem: there is no such fact, or the release was not looked at.
    """
    if release not in releases():
        seen = ", ".join(str(number) for number in releases())
        raise NotFoundProblem(
            "release-not-recorded", f"PostgreSQL {release} was not looked at.", hint=f"Ask for one of {seen}."
        )
    name = wanted.removeprefix("fact:")
    if name not in facts(release):
        raise NotFoundProblem(
            "fact-not-found", f"There is no fact {name}.", hint="neondba fact list shows all of them."
        )
    return facts(release)[name]


@cache
def listed(wanted: str) -> frozenset[str]:
    """Give the names that a fact lists, over all releases."""
    return frozenset(value for release in releases() for value in fact(wanted, release).values())
