"""A fresh database with its owner, on which a rule is tried."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from neondba.postgres.connect import Connection, Refused, Row, trusted
from neondba.postgres.looking import look
from neondba.postgres.sql_text import pieces
from neondba.project.database import Database
from neondba.project.facts import Facts
from neondba.project.tree import MemoryTree
from neondba.review.engine import Outcome, run
from neondba.review.live_page import REFUSED
from neondba.review.rule import rules


@dataclass
class Bench:
    """A fresh database, its owner as Neon makes owners, and the server's superuser."""

    owner: Connection
    superuser: Connection
    name: str

    def execute(self, sql: str, *, superuser: bool = False) -> None:
        """Send statements one by one; those marked as refused must fail."""
        session = self.superuser if superuser else self.owner
        for piece in pieces(sql):
            if REFUSED in piece.text:
                with pytest.raises(Refused):
                    session.execute(trusted(piece.text))
            else:
                session.execute(trusted(piece.text))
        session.execute("select pg_stat_force_next_flush()")

    def database(self, *, used: bool = True, days: float | None = None) -> Database:
        """Look at it now."""
        found, refused = look(self.owner)
        assert refused == {}
        if days is not None:
            server: Row = {**found["server"][0], "counted_days": days}
            found = {**found, "server": [server]}
        return Database("the test's database", used, found)

    def outcome(
        self,
        *codes: str,
        files: dict[str, str] | None = None,
        used: bool = True,
        days: float | None = None,
    ) -> Outcome:
        """Run rules over this database and a project's files."""
        tree = MemoryTree(files or {})
        facts = Facts(tree)
        facts.put(Database, self.database(used=used, days=days))
        outcome = run(tree, [rules()[code] for code in codes], facts)
        assert [gap for gap in outcome.not_checked if "our own fault" in gap.missing] == []
        return outcome

    def objects(self, *codes: str, days: float | None = None) -> set[str]:
        """Name what the rules find."""
        return {f.path.removeprefix("database:") for f in self.outcome(*codes, days=days).findings}
