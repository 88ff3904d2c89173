"""Bring what a branch has done into another: combine, rehearse on a fresh branch, apply, verify."""

from __future__ import annotations

from contextlib import ExitStack
from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches import choose
from neondba.branches.merge_base import base_of
from neondba.branches.merge_carry import Carrying
from neondba.branches.merge_found import Asked, Between, Found
from neondba.branches.merge_migration import Recorded, Target, recorded, version_tables
from neondba.branches.merge_results import BranchMerged, MergeConflict, MergeStatement
from neondba.branches.point import Point
from neondba.branches.side import Side, opened
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan
from neondba.core.problem import ArgumentProblem
from neondba.neon.restore_point import RestorePoint, planned_restore_point
from neondba.neon.throwaway import reached

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.postgres.applied import Applied
    from neondba.postgres.connect import Connection
    from neondba.postgres.ddl.conflict import Conflict
    from neondba.postgres.ddl.schema import Schema
    from neondba.postgres.row_merge import MergedRows


class Merging:
    """One merge."""

    def __init__(self, client: NeonClient, ctx: Context, between: Between, asked: Asked) -> None:
        self._client, self._ctx, self._asked, self._between = client, ctx, asked, between
        project, theirs, ours = between.project, between.theirs, between.ours
        self._project, self._theirs, self._ours = project, theirs, ours
        self._there = client.branches(project.id)
        self._url = reached(client, project.id, ours, asked.database)
        self._base = self._last_merge() or base_of(project, theirs, ours, self._there, asked.database)

    def done(self) -> BranchMerged:
        """Merge, or say what stands against it.

        Raises:
            Problem: a side cannot be read, the rehearsal fails, the target has moved, or no consent.
        """
        found = self._look()
        self._check_names(found)
        if found.conflicts:
            return self._refused(found.conflicts)
        record = self._record(found)
        if not found.statements:
            return self._result(notes=found.notes)
        texts = [*(each.text for each in found.statements), *record.statements]
        plan = self._plan(found, texts, record)
        if self._ctx.dry_run:
            with self._ctx.carry_out(plan):
                pass
        carrying = Carrying(self._client, self._ctx, self._between, self._asked, found)
        parts, rehearsed, in_the_way = carrying.rehearsed(texts)
        if in_the_way:
            return self._refused(in_the_way)
        with self._ctx.carry_out(plan):
            point, applied = carrying.apply(self._url.direct, parts, record)
        self._remember(found)
        return self._merged(found, record, rehearsed, applied, point)

    def _look(self) -> Found:
        from neondba.postgres.connect import trusted
        from neondba.postgres.ddl.reading import schema_of
        from neondba.postgres.ddl.script import script
        from neondba.postgres.ddl.statement import Statement
        from neondba.postgres.ddl.three_way import three_way
        from neondba.postgres.row_merge import row_statements

        database = self._asked.database
        self._ctx.progress(f"Reading {self._base.spoken}, {self._ours.name} and {self._theirs.name}")
        with ExitStack() as stack:
            sides = (
                self._base,
                Side(self._project, self._ours, None, database),
                Side(self._project, self._theirs, None, database),
            )
            sessions = [stack.enter_context(opened(self._client, self._ctx, side)) for side in sides]
            base, ours, theirs = (schema_of(session) for session in sessions)
            both = three_way(base, ours, theirs, self._asked.prefer)
            rows = self._rows(sessions, (base, ours, theirs))
            lead, back = script(ours, both.schema_), script(both.schema_, ours)
            found = Found(ours, both.schema_, list(lead.statements), [each.text for each in back.statements])
            found.lsn = _lsn(sessions[2])
            found.known = frozenset((*base.objects, *ours.objects, *theirs.objects))
            found.merged_tables = tuple(each.table for each in rows)
            found.notes = lead.notes
            found.tables = tuple(version_tables(ours))
            found.versions = tuple(
                str(row["version_num"])
                for table in found.tables
                if table.endswith("alembic_version")
                for row in sessions[1].execute(trusted(f"select version_num from {table}")).fetchall()  # noqa: S608
            )
        found.by_tool = any(each.total for each in rows if each.table in version_tables(theirs))
        found.conflicts = [*both.conflicts, *(c for each in rows for c in each.conflicts)]
        found.statements += [
            Statement(text=text, object="", destroys=destroys)
            for text, destroys in row_statements([each for each in rows if each.total], both.schema_)
        ]
        return found

    def _rows(self, sessions: list[Connection], schemas: tuple[Schema, Schema, Schema]) -> list[MergedRows]:
        from neondba.postgres.ddl.values import Table
        from neondba.postgres.row_difference import find_table, key_of, keyed_rows
        from neondba.postgres.row_merge import merge_rows

        named = [find_table(each, schemas[2], schemas[1]) for each in self._asked.tables]
        tables = dict.fromkeys([*version_tables(schemas[2]), *named])
        found = []
        for table in tables:
            if schemas[2].get(Table, table) is None:
                continue
            key = key_of(table, *schemas)
            streams = [
                keyed_rows(session, table, key) if schema.get(Table, table) is not None else iter(())
                for session, schema in zip(sessions, schemas, strict=True)
            ]
            base, ours, theirs = streams
            found.append(merge_rows(table, key, base, ours, theirs, self._asked.prefer))
        return found

    def _record(self, found: Found) -> Recorded:
        """Write the migration in memory, unless their side came by migrations of the project's own."""
        folder = self._asked.folder
        if folder is None or found.by_tool or not found.statements:
            return Recorded()
        name = f"merge {self._theirs.name} into {self._ours.name}"
        up = [each.text for each in found.statements]
        return recorded(
            folder, self._ctx.clock.now(), name, up, found.back, Target(found.tables, found.versions)
        )

    def _plan(self, found: Found, texts: list[str], record: Recorded) -> Plan:
        destroys = any(each.destroys for each in found.statements)
        return Plan(
            operation="branch.merge",
            effect=Effect.DESTROY if destroys else Effect.WRITE,
            target=choose.target(self._project, self._ours, self._url.role),
            steps=(
                f"Merge branch {self._theirs.name} into {self._ours.name} of project {self._project.name}, "
                f"database {self._url.database}, as role {self._url.role}.",
                f"Only while the catalog of {self._ours.name} is still {found.ours.fingerprint[:12]}.",
                planned_restore_point(self._ours),
                *([f"Write a migration of {len(texts)} statements."] if record.files else []),
                *(f"{text};" for text in texts),
            ),
        )

    def _last_merge(self) -> Side | None:
        """Give the moment of an earlier merge of the two, where it can still be read."""
        from neondba.core import merge_store

        path = self._ctx.settings.state_dir / "merges.sqlite"
        if not path.exists():
            return None
        row = merge_store.newest(
            merge_store.engine(path), self._project.id, self._theirs.id, self._ours.id, self._url.database
        )
        source = next((each for each in self._there if row and each.id == row.source), None)
        if row is None or source is None:
            return None
        spoken = f"at its last merge, {row.at:%Y-%m-%d %H:%M} UTC"
        return Side(self._project, source, Point(row.lsn, None, spoken), self._asked.database)

    def _remember(self, found: Found) -> None:
        from neondba.core import merge_store

        merge_store.add(
            merge_store.engine(self._ctx.settings.state_dir / "merges.sqlite"),
            merge_store.MergeRow(
                project=self._project.id,
                source=self._theirs.id,
                target=self._ours.id,
                database=self._url.database,
                lsn=found.lsn,
                at=self._ctx.clock.now(),
            ),
        )

    def _check_names(self, found: Found) -> None:
        """Refuse names that settle nothing: a slip would look like a conflict that stays."""
        for name in self._asked.prefer:
            rows = any(name == f"rows {t}" or name.startswith(f"rows {t} [") for t in found.merged_tables)
            if name != "*" and name not in found.known and not rows:
                there = ", ".join(each.name for each in found.conflicts) or "none"
                raise ArgumentProblem(
                    "prefer-unknown",
                    f"Neither branch has {name}. The conflicts are: {there}.",
                    hint="Name one as it is written there, such as 'column public.users.email=theirs'.",
                )

    def _refused(self, found: list[Conflict]) -> BranchMerged:
        ours, theirs = self._ours.name, self._theirs.name
        lines = [
            MergeConflict(
                object=each.name,
                kind=each.kind.value,
                said=each.sentence(ours, theirs),
                base=each.base,
                ours=each.ours,
                theirs=each.theirs,
                rows=each.rows,
            )
            for each in found
        ]
        call = (
            f"neondba branch merge {quote(theirs)} --into {quote(ours)} --project {quote(self._project.name)}"
        )
        some = next((c for c in lines if c.kind != "rows in the way"), None)
        choice = f"Change or delete these rows in {ours}, then repeat: {call}"
        if some is not None:
            wanted = quote(f"{some.object}=theirs")
            choice = f"Take a side (ours, theirs), for one thing or all: {call} --prefer {wanted}"
        return self._result(conflicts=tuple(lines), next=(choice,))

    def _merged(
        self, found: Found, record: Recorded, rehearsed: Applied | None, applied: Applied, point: RestorePoint
    ) -> BranchMerged:
        about = {each.text: each for each in found.statements}
        runs = [run for part in applied.parts for run in part.statements]
        return self._result(
            statements=tuple(
                MergeStatement(
                    text=run.text,
                    destroys=bool(about.get(run.text) and about[run.text].destroys),
                    rewrites=bool(about.get(run.text) and about[run.text].rewrites),
                    seconds=run.seconds,
                    rows=run.rows,
                )
                for run in runs
            ),
            rehearsed_seconds=rehearsed.seconds if rehearsed else None,
            seconds=applied.seconds,
            retries=applied.retries,
            files=tuple(record.files),
            restore_point=point,
            merged=True,
            notes=tuple(note for note in (*found.notes, record.note) if note),
            next=(
                f"neondba branch diff {quote(self._theirs.name)} --base {quote(self._ours.name)}",
                f"neondba branch delete {quote(self._theirs.name)}",
            ),
        )

    def _result(self, **more: object) -> BranchMerged:
        return BranchMerged.model_validate(
            {
                "project": self._project.name,
                "source": self._theirs.name,
                "into": self._ours.name,
                "database": self._url.database,
                "base": self._base.spoken,
                **more,
            }
        )


def _lsn(session: Connection) -> str:
    row = session.execute("select pg_current_wal_lsn()::text as lsn").fetchone()
    return str(row["lsn"]) if row else ""
