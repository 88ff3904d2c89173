"""A counter whose every commit is known by place and moment, and branches at points of its past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from local_inside import Inside

from neondba.local.api.call import Refusal
from neondba.local.storage.point import Point


@dataclass(frozen=True)
class Mark:
    """What was committed at a place and a moment."""

    number: int
    lsn: str
    at: datetime


class Counter:
    """A branch that counts: one commit per number."""

    def __init__(self, inside: Inside, made: dict[str, Any]) -> None:
        self.inside = inside
        self.project = made["project"]["id"] if "project" in made else made["branch"]["project_id"]
        self.branch = made["branch"]["id"]

    @property
    def timeline(self) -> str:
        """The name of its directory."""
        return self.inside.timeline(self.branch)

    def count(self, first: int, last: int, filler: int = 0) -> list[Mark]:
        """Count on; give what was true after each commit."""
        marks = []
        with self.inside.sql(self.branch) as session:
            session.execute("create table if not exists counted (number int, filler text)")
            for number in range(first, last + 1):
                session.execute("insert into counted values (%s, repeat('x', %s))", [number, filler])
                row = session.execute("select pg_current_wal_lsn()::text, clock_timestamp()").fetchone()
                marks.append(Mark(number, row[0], row[1]))
        return marks

    def at(self, name: str, **point: str) -> Counter:
        """Branch from a point."""
        return Counter(self.inside, self.inside.branch(self.project, name, parent_id=self.branch, **point))

    def numbers(self) -> tuple[int, int]:
        """Give how many numbers there are, and the last."""
        with self.inside.sql(self.branch) as session:
            found = session.execute("select count(*), max(number) from counted").fetchone()
        self.inside.plane.computes.stop(self.timeline)
        return found

    def refusal(self, **point: str) -> str:
        """Branch from a point that is not to be had."""
        with pytest.raises(Refusal) as refused:
            self.at("refused", **point)
        assert refused.value.status == 400
        return str(refused.value)


def place(mark: Mark) -> dict[str, str]:
    """Ask for a mark's place."""
    return {"parent_lsn": mark.lsn}


def moment(mark: Mark) -> dict[str, str]:
    """Ask for a mark's moment."""
    return {"parent_timestamp": mark.at.isoformat()}


def point(mark: Mark) -> Point:
    """Give a mark's place as storage takes it."""
    return Point(lsn=mark.lsn)
