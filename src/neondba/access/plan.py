"""Derive row-level security from schema and code, try it on a throw-away branch, and write it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neondba.access.plan_choices import Choices, choices, table_of
from neondba.access.plan_deciding import Deciding
from neondba.access.plan_decisions import Decision, Kind
from neondba.access.plan_evidence import evidence_of
from neondba.access.plan_files import Files, put_all
from neondba.access.plan_groups import people_key, staff_column
from neondba.access.plan_items import Item, Items
from neondba.access.plan_login import env_login
from neondba.access.plan_present import Present
from neondba.access.plan_results import FileWritten, IsolationPlanned, TableDecided
from neondba.access.plan_roles import chosen_roles
from neondba.access.plan_session import wiring
from neondba.access.plan_steps import open_tables, said, shut_out, steps
from neondba.access.plan_tables import Source, bring_tables
from neondba.access.plan_trial import lacking, proven, there_and_back
from neondba.access.plan_wiring import Wiring
from neondba.access.plan_writing import MissingIndex, Writer, missing_indexes, tool_of
from neondba.access.policies import Policies, Staff
from neondba.access.policies_functions import helpers, staff_helpers
from neondba.access.policies_text import Asker, short
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect
from neondba.postgres.ddl.names import namespace
from neondba.postgres.shapes import Column, Shape
from neondba.project.facts import Facts
from neondba.project.tree import FolderTree

if TYPE_CHECKING:
    from neondba.access.results import IsolationProof


@dataclass(frozen=True)
class Asked:
    """What the user wants beyond the folder."""

    folder: Path
    owner: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    admin: str | None = None
    role: str | None = None
    project: str | None = None
    config: str | None = None
    python: str | None = None

    @property
    def source(self) -> Source:
        """Where the tables come from."""
        return Source(self.folder, self.project is not None, self.config, self.python)


def planned_at(ctx: Context, asked: Asked, direct: Secret) -> IsolationPlanned:
    """Plan on a branch that nobody will miss, then write the files with consent.

    Raises:
        ArgumentProblem: a table's owner cannot be told.
        Problem: the schema cannot be made, or the server refuses what was derived.
    """
    began = ctx.clock.monotonic()
    tree = FolderTree(asked.folder)
    facts = Facts(tree)
    with connect(direct, limit=ctx.settings.step_limit) as session:
        before = set(Present.of(session).roles)
        bring_tables(ctx, asked.source, facts, direct, session)
        planning = Planning(ctx, asked, facts, session, before)
        planning.derive()
        proof = planning.tried(direct) if planning.items or planning.indexes else None
    result = planning.written(proof)
    return result.model_copy(update={"seconds": ctx.clock.monotonic() - began})


class Planning:
    """One project and its branch."""

    def __init__(
        self, ctx: Context, asked: Asked, facts: Facts, session: Connection, before: set[str]
    ) -> None:
        self._ctx, self._asked, self._facts, self._session = ctx, asked, facts, session
        self.present = Present.of(session)
        self._before = before
        self.decisions: dict[str, Decision] = {}
        self.items: list[Item] = []
        self.indexes: list[MissingIndex] = []
        self.left: list[str] = []

    def derive(self) -> None:
        """Decide for every table, and find what lacks.

        Raises:
            ArgumentProblem: a table's owner cannot be told.
        """
        self._ctx.progress("Deciding whose the rows of each table are.")
        evidence = evidence_of(self._facts, self.present)
        deciding = Deciding(self.present.shapes, self._choices(), evidence)
        self.decisions = deciding.all()
        self._require_decided()
        self.login = env_login(self._session, self._asked.folder, self.present.roles)
        self.roles = chosen_roles(self._asked, self.present, self._before, self.decisions, self.login)
        self.asker = Asker(self.present.setting)
        self.items = lacking(self._session, self._wanted(deciding.people))
        self.indexes = missing_indexes(self._predicates(), self.present)

    def tried(self, direct: Secret) -> IsolationProof:
        """Take it there and back on the branch, and act as two users."""
        self._ctx.progress("Trying the policies on a throw-away branch, there and back.")
        tool = tool_of(self._facts)
        made = [each.create(tool, concurrently=False) for each in self.indexes]
        dropped = [each.drop(tool, concurrently=False) for each in self.indexes]
        self.left = there_and_back(self._session, [*made, *self.up], [*self.down, *dropped])
        return proven(self._ctx, direct, self.roles.app, self.decisions.values())

    @property
    def up(self) -> list[str]:
        """The statements, in order."""
        return [statement for item in self.items for statement in item.up]

    @property
    def down(self) -> list[str]:
        """The statements of the way back."""
        return [statement for item in reversed(self.items) for statement in item.down]

    def written(self, proof: IsolationProof | None) -> IsolationPlanned:
        """Write the files with consent; say what was found and what remains to do."""
        tree = self._facts.tree
        writer = Writer(tree, self._facts, self._ctx.clock.now())
        carried = writer.write(self.indexes, self.up, self.down)
        session = wiring(self._facts, self.roles, self.asker)
        files = Files(carried.files, carried.changed, session.files)
        new = files.new(self._asked.folder)
        if new:
            with self._ctx.carry_out(self._plan(new)):
                put_all(self._asked.folder, new, files.changed)
        notes = [*carried.notes, *files.kept(self._asked.folder)]
        return self._result(proof, new, notes, session, writer.tool)

    def _choices(self) -> Choices:
        """Read what was chosen now, and what was chosen when an earlier plan was made."""
        asked = self._asked
        given = {"owner": asked.owner, "public": asked.public, "shared": asked.shared, "closed": asked.closed}
        named = {table_of(option, text) for option, texts in given.items() for text in texts}
        for flag in self.present.flags():
            option, _, value = flag.removeprefix("--").partition(" ")
            if option in given and table_of(option, value) not in named:
                given[option] = (*given[option], value)
        return choices(self.present.shapes, given)

    def _require_decided(self) -> None:
        open_ = [d for d in self.decisions.values() if d.kind is Kind.UNDECIDED]
        # What hangs on another open table is decided with that one.
        asked = [d for d in open_ if not d.waits]
        if not open_:
            return
        said = "; ".join(f"{d.table}: {d.why}" for d in asked)
        more = len(open_) - len(asked)
        rest = f" {more} more hang on these." if more else ""
        raise ArgumentProblem(
            "owner-undecided",
            f"Nothing was written, for nothing tells whose rows these are: {said}.{rest}",
            hint=f"Decide for each: {_flags(asked)}",
            tables=[d.table for d in asked],
        )

    def _wanted(self, people: Mapping[str, Shape]) -> list[Item]:
        if not any(decision.kind.has_policies for decision in self.decisions.values()):
            return self._flags()
        staff = self._staff(people)
        made = staff_helpers(staff, self.asker) if staff is not None else []
        policies = Policies(self.decisions, self.roles, self.asker, staff)
        is_first = self.present.role_of("select") is None
        items = Items(self.roles, self.present.catalog, self.present.user, is_first=is_first)
        groups = {id(d.group): d.group for d in self.decisions.values() if d.group is not None}
        functions = [*made, *helpers(groups.values(), self.asker)]
        names = [n for n in (self.roles.app, self.roles.sign_in, self.roles.admin) if n]
        found = [items.role(name, exists=name in self.present.roles) for name in names]
        for schema in self._schemas():
            for name in names:
                found += [*items.schema(schema, name), items.sequences(schema, name)]
        found += [items.function(each) for each in functions]
        for decision in self.decisions.values():
            if decision.kind.has_policies:
                old = self.present.written(decision.table)
                found += [items.replaced(decision.table, each.name, each.attributes) for each in old]
            found += items.security(decision, policies)
        return [*found, *items.grants(self.decisions)]

    def _flags(self) -> list[Item]:
        """Enable and force what the project's own policies count on; the rest is its own, too."""
        items = Items(self.roles, self.present.catalog, self.present.user, is_first=False)
        policies = Policies(self.decisions, self.roles, self.asker)
        return [item for decision in self.decisions.values() for item in items.security(decision, policies)]

    def _staff(self, people: Mapping[str, Shape]) -> Staff | None:
        """Find the column of the users' own table that says who administers the application."""
        for shape in people.values():
            column = staff_column(shape)
            if column is not None:
                return Staff(shape.name, people_key(shape, self.present.shapes), column)
        return None

    def _schemas(self) -> list[str]:
        used = {namespace(d.table) for d in self.decisions.values() if d.kind is not Kind.TOOL}
        return sorted(used)

    def _predicates(self) -> list[tuple[str, str]]:
        """Give the columns by which policies look rows up."""
        found: list[tuple[str, str]] = []
        for d in self.decisions.values():
            columns: list[Column] = []
            if d.kind.has_policies and d.kind is not Kind.PEOPLE:
                columns += d.owners
                columns += [d.group_column] if d.group_column else []
                columns += [link.column for link in d.parents]
            if d.kind is Kind.MEMBERSHIP and d.group and d.group.member_group:
                columns.append(d.group.member_group)
            if d.kind is Kind.GROUP and d.group and d.group.owner:
                columns.append(d.group.owner)
            found += [(d.table, c.name) for c in columns]
        return found

    def _plan(self, new: Mapping[str, str]) -> Plan:
        steps = [f"{d.table}: {d.kind}; {d.why}." for d in self.decisions.values()]
        steps += [f"Write {path}:\n\n{text}" for path, text in new.items()]
        return Plan(
            operation="isolation.plan",
            effect=Effect.WRITE,
            target=Target(project=self._asked.project, role=self.roles.app),
            steps=tuple(steps),
        )

    def _result(
        self,
        proof: IsolationProof | None,
        new: Mapping[str, str],
        notes: list[str],
        session: Wiring,
        tool: str,
    ) -> IsolationPlanned:
        policies = Policies(self.decisions, self.roles, self.asker)
        left_open = open_tables(proof, self.decisions) if proof else ()
        return IsolationPlanned(
            role=self.roles.app,
            admin=self.roles.admin,
            sign_in=self.roles.sign_in,
            setting=self.asker.setting,
            tables=tuple(_told(d, policies) for d in self.decisions.values()),
            added=(
                *(f"index on {i.table} ({i.column})" for i in self.indexes),
                *(i.title for i in self.items),
            ),
            files=tuple(FileWritten(path=p, what=session.what.get(p, "migration")) for p in new),
            not_written=tuple(notes),
            proof=said(proof, self.decisions) if proof else "",
            holds=not left_open if proof else None,
            open_tables=left_open,
            left_by_way_back=tuple(self.left),
            warning=shut_out(self.roles, self.login),
            steps=tuple(steps(self.roles, session, tool, self.indexes, self._asked, self.login))
            if new
            else (),
        )


def _flags(open_: Sequence[Decision]) -> str:
    """Give the options that would decide; which is right, only a person knows."""
    named = [(short(d.table), d.candidates) for d in open_]
    flags = [f"--owner {shlex.quote(f'{name}={which[0]}')}" for name, which in named if which]
    others = ", ".join(name for name, which in named if not which)
    said = [f"{' '.join(flags)} (or another column)"] if flags else []
    said += [f"--public, --shared, --closed or --owner table=column for {others}"] if others else []
    return "; ".join(said) + "."


def _told(decision: Decision, policies: Policies) -> TableDecided:
    columns = [*decision.owners, *(link.column for link in decision.parents)]
    columns += [decision.group_column] if decision.group_column else []
    return TableDecided(
        table=decision.table,
        kind=decision.kind.value,
        columns=tuple(c.name for c in columns),
        why=decision.why,
        policies=len(policies.of(decision)),
    )
