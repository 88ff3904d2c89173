"""Row-level security as the SQL files leave it."""

from __future__ import annotations

from dataclasses import dataclass, field

from neondba.postgres.statement import (
    AlterTable,
    CreateFunction,
    CreatePolicy,
    CreateTable,
    DropObjects,
    Grant,
    Name,
    Statement,
)  # fmt: skip
from neondba.project.owners import OWNER
from neondba.project.sql import Role, SqlFile, SqlFiles

SERVICE = frozenset({"service_role", "postgres", "supabase_admin", "neondb_owner", "admin", "dashboard_user"})
"""Roles that no end user has."""


@dataclass(frozen=True)
class Placed:
    """Something that a statement does, with its place."""

    action: CreatePolicy | CreateFunction | Grant | CreateTable
    path: str
    line: int


@dataclass(eq=False)
class Secured:
    """What one history of migrations, or one schema file, leaves behind."""

    created: dict[str, Placed] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    policies: dict[tuple[str, str], Placed] = field(default_factory=dict)
    functions: dict[str, Placed] = field(default_factory=dict)
    grants: list[Placed] = field(default_factory=list)

    @property
    def has_user_roles(self) -> bool:
        """Whether policies tell users apart, so that users reach the tables as themselves."""
        return any(
            isinstance(p.action, CreatePolicy)
            and ("auth." in (p.action.using or "") or "auth." in (p.action.check or ""))
            for p in self.policies.values()
        )

    def owner(self, table: Name) -> str | None:
        """Give the owner column of a table that is created here."""
        made = self.created.get(table.key)
        columns = made.action.columns if made and isinstance(made.action, CreateTable) else ()
        for column in columns:
            users = column.references is not None and column.references.table.key in (
                "auth.users",
                "users",
                "user",
            )
            if column.name.lower() in OWNER or (users and not column.primary_key):
                return column.name
        return None


class RowSecurity:
    """The secured states of all histories and schema files."""

    def __init__(self, states: list[Secured]) -> None:
        self.states = states

    @classmethod
    def gather(cls, sql: SqlFiles) -> RowSecurity:
        """Replay the SQL files as far as they concern row-level security."""
        groups = [h.files for h in sql.histories] + [[f] for f in sql.of(Role.SCHEMA)]
        return cls([_replayed(files) for files in groups if any(_concerned(f) for f in files)])


def _concerned(file: SqlFile) -> bool:
    text = file.text.lower()
    return any(word in text for word in ("policy", "security definer", "row level security", "truncate"))


def _replayed(files: list[SqlFile]) -> Secured:
    state = Secured()
    for file in files:
        if file.backward:
            continue
        for statement in file.statements:
            _apply(state, file.path, statement)
    return state


def _apply(state: Secured, path: str, statement: Statement) -> None:
    action = statement.action
    if isinstance(action, CreateTable):
        state.created[action.table.key] = Placed(action, path, statement.line)
    elif isinstance(action, AlterTable):
        for change in action.changes:
            if change.kind == "enable rls":
                state.enabled.add(action.table.key)
            elif change.kind == "disable rls":
                state.enabled.discard(action.table.key)
    elif isinstance(action, CreatePolicy):
        state.policies[action.table.key, action.name] = Placed(action, path, statement.line)
    elif isinstance(action, CreateFunction):
        state.functions[action.name.key] = Placed(action, path, statement.line)
    elif isinstance(action, Grant):
        state.grants.append(Placed(action, path, statement.line))
    elif isinstance(action, DropObjects):
        _drop(state, action, statement.text)
    _secure_later(state, statement)


def _secure_later(state: Secured, statement: Statement) -> None:
    """Forget functions that get a search path of their own afterwards."""
    if statement.kind.startswith("ALTER FUNCTION") and "search_path" in statement.text.lower():
        lowered = statement.text.lower()
        state.functions = {k: p for k, p in state.functions.items() if k.rpartition(".")[2] not in lowered}


def _drop(state: Secured, action: DropObjects, text: str) -> None:
    if action.kind == "policy":
        state.policies = {k: p for k, p in state.policies.items() if k[1] not in text}
    for name in action.names:
        state.functions.pop(name.key, None)
        if action.kind == "table":
            state.created.pop(name.key, None)
            state.policies = {k: p for k, p in state.policies.items() if k[0] != name.key}
