"""A database that a review looks at: live, or made from the project's own migrations.

No file of a checkout gives this fact; the review puts it in where the user named a branch or asked for
proof. Without it, the rules over the catalog are listed as not checked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from neondba.project import catalog_objects as objects
from neondba.project.facts import Unavailable
from neondba.project.row_security import SERVICE

NO_DATABASE = "no database: add --prove or --branch"
UNUSED = "a database that nobody has used yet: add --branch to look at a live one"
USERS = frozenset({"anon", "anonymous", "authenticated", "web_anon", "web_user"})
"""Roles through which data APIs let users reach the tables."""
PLATFORM = frozenset(
    {"auth", "storage", "realtime", "supabase_functions", "supabase_migrations", "vault", "graphql",
     "graphql_public", "extensions", "pgbouncer", "cron", "net", "pgsodium", "pgmq", "neon", "neon_auth",
     "neon_migration", "drizzle", "pgrst"}
)  # fmt: skip
"""Schemas that a platform or tool keeps for itself."""

Rows = Sequence[Mapping[str, Any]]
T = TypeVar("T")


@dataclass(frozen=True)
class Database:
    """The catalog of one database."""

    title: str
    """What it is, for readers: `branch main of shop`."""
    used: bool
    """People have worked with it: roles, counters and row counts mean something."""
    found: Mapping[str, Rows]
    refused: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def gather(cls) -> Database:
        """Say what is missing: no file gives a database.

        Raises:
            Unavailable: always.
        """
        raise Unavailable(NO_DATABASE)

    def in_use(self) -> Database:
        """Give this database if what is counted and who may log in can be believed.

        Raises:
            Unavailable: it was made a moment ago.
        """
        if not self.used:
            raise Unavailable(UNUSED)
        return self

    @property
    def server(self) -> objects.Server:
        """The database itself."""
        return self._all("server", objects.Server)[0]

    @cached_property
    def roles(self) -> dict[str, objects.Role]:
        """Roles that may connect, by name."""
        return {role.name: role for role in self._all("roles", objects.Role)}

    @cached_property
    def relations(self) -> dict[str, objects.Relation]:
        """Tables, views and foreign tables of the project, by name."""
        every = self._all("relations", objects.Relation)
        return {each.name: each for each in every if each.schema not in PLATFORM}

    @cached_property
    def tables(self) -> list[objects.Relation]:
        """The project's tables; partitions are their parents' affair."""
        return [r for r in self.relations.values() if r.kind == "table" and not r.is_partition]

    @cached_property
    def secured(self) -> frozenset[str]:
        """Tables with row-level security, of the platform too."""
        return frozenset(r.name for r in self._all("relations", objects.Relation) if r.secured)

    @cached_property
    def access(self) -> dict[str, list[objects.Access]]:
        """What roles that own nothing may do, by relation."""
        return _by_relation(self._all("access", objects.Access))

    @cached_property
    def columns(self) -> list[objects.Column]:
        """Columns of the project's tables."""
        return self._own("columns", objects.Column)

    @cached_property
    def indexes(self) -> dict[str, list[objects.Index]]:
        """Indexes by table: of keys first, then unique ones, then by age."""
        return _by_relation(self._own("indexes", objects.Index))

    @cached_property
    def constraints(self) -> list[objects.Constraint]:
        """Constraints of the project's tables."""
        return self._own("constraints", objects.Constraint)

    @cached_property
    def foreign_keys(self) -> list[objects.Constraint]:
        """Foreign keys of the project's tables."""
        return [c for c in self.constraints if c.kind == "foreign key"]

    @cached_property
    def sequences(self) -> list[objects.Sequence]:
        """Sequences and the columns they feed."""
        return self._own("sequences", objects.Sequence)

    @cached_property
    def policies(self) -> dict[str, list[objects.Policy]]:
        """Policies by table, of the platform's tables too: users write those."""
        return _by_relation(self._all("policies", objects.Policy))

    @cached_property
    def functions(self) -> list[objects.Function]:
        """Functions of the project."""
        return self._own("functions", objects.Function)

    @cached_property
    def views(self) -> list[objects.View]:
        """Views of the project."""
        return self._own("views", objects.View)

    @cached_property
    def extensions(self) -> list[objects.Extension]:
        """Installed extensions."""
        return self._all("extensions", objects.Extension)

    @cached_property
    def default_privileges(self) -> list[objects.DefaultPrivilege]:
        """Privileges on what will be made."""
        return self._all("default_privileges", objects.DefaultPrivilege)

    @cached_property
    def schemas(self) -> list[objects.Schema]:
        """Schemas of the project."""
        return [s for s in self._all("schemas", objects.Schema) if s.name not in PLATFORM]

    @cached_property
    def disabled_triggers(self) -> list[objects.Trigger]:
        """Triggers that are switched off."""
        return self._own("triggers", objects.Trigger)

    @cached_property
    def idle_slots(self) -> list[objects.Slot]:
        """Replication slots that nobody reads."""
        return self._all("slots", objects.Slot)

    @cached_property
    def activity(self) -> dict[str, objects.Activity]:
        """Counters by table."""
        return {each.relation: each for each in self._own("activity", objects.Activity)}

    @cached_property
    def users(self) -> frozenset[str]:
        """Roles of a data API: whoever has them reaches tables without the application."""
        plain = {name for name, role in self.roles.items() if not (role.superuser or role.bypasses)}
        return USERS & plain

    @cached_property
    def bound(self) -> frozenset[str]:
        """Roles whose rows policies choose: those of users, and those that reach a protected table."""
        reached = {access.role for name in self.secured for access in self.access.get(name, ())}
        return self.users | {name for name in reached - SERVICE if self._is_bound(name)}

    def _is_bound(self, name: str) -> bool:
        role = self.roles.get(name)
        return role is not None and not role.superuser and not role.bypasses

    def _own(self, kind: str, of: type[T]) -> list[T]:
        every = self._all(kind, of)
        return [each for each in every if getattr(each, "schema", None) not in PLATFORM]

    def _all(self, kind: str, of: type[T]) -> list[T]:
        if kind in self.refused:
            raise Unavailable(f"the database refuses to tell of its {kind}: {self.refused[kind]}")
        return [of(**row) for row in self.found[kind]]


def _by_relation(every: list[T]) -> dict[str, list[T]]:
    found = defaultdict(list)
    for each in every:
        found[each.relation].append(each)  # type: ignore[attr-defined]
    return dict(found)
