"""One change of a migration to one table, with what is known where it runs."""

from __future__ import annotations

from dataclasses import dataclass

from neondba.postgres.statement import Name
from neondba.project.schema_table import Column


@dataclass(frozen=True)
class Step:
    """One change to one table."""

    kind: str
    """`create index`, `add column`, `set not null`, `drop not null`, `alter type`, `set default`, `add
    foreign key`, `add unique`, `add primary key`, `add check`, `add exclude`, `add not null`, `validate
    constraint`, `drop column`, `drop table`, `drop index`, `drop constraint`, `rename column`, `rename
    table`, `reference` for a foreign key that comes with its column, `attach partition`, `set logged`,
    `set unlogged`, `set tablespace`, `create table`, `create temporary`, `create trigger`, `vacuum full`,
    `cluster`, `reindex`, `refresh`, `update`, `delete`, `truncate` or `change` for what takes a lock for
    a moment."""
    path: str
    line: int
    table: Name
    tool: str | None
    forward: bool = True
    fresh: bool = False
    """The same migration created the table earlier, so it is empty and nobody uses it yet."""
    emptied: bool = False
    """The same migration removed every row earlier."""
    barred: bool = False
    """The same migration demanded a value of rows that have none: only an empty table gets here."""
    new_column: bool = False
    """The same migration added the column earlier."""
    filled: bool = False
    """The same migration wrote the column earlier."""
    name: str | None = None
    """Column, index or constraint."""
    column: Column | None = None
    """The column that is added."""
    before: Column | None = None
    """The column as earlier migrations left it."""
    columns: tuple[str, ...] = ()
    references: Name | None = None
    ref_columns: tuple[str, ...] = ()
    concurrently: bool = False
    not_valid: bool = False
    using_index: str | None = None
    """The index that becomes the constraint's."""
    type: str | None = None
    """The new type, or the type of the column that refers."""
    ref_type: str | None = None
    """The type of the column that is referred to."""
    ref_known: bool | None = None
    """Whether the table that is referred to exists by then; `None` when it stands elsewhere."""
    old_type: str | None = None
    using: str | None = None
    expression: str | None = None
    new: str | None = None
    """The new name."""
    unique: bool = False
    filtered: bool = True
    """An UPDATE or DELETE that has WHERE."""
    if_exists: bool = False
    """IF NOT EXISTS, or inside a condition of the code."""
    again: str = ""
    """Where the history has made the same table, column or index before."""
    batch: bool = False
    """Inside Alembic's batch mode, which exists for SQLite."""
    proven: bool = False
    """A validated CHECK already shows that the column holds no NULL."""
    partitioned: bool = False
    """The table is a partitioned one."""
    wrapped: bool | None = None
    """Whether it runs inside a transaction; `None` where the tool that runs it is not known."""
    behind: Step | None = None
    """An earlier step of the same transaction that keeps others out of the table until its end."""
    patient: bool = False
    """A lock_timeout limits how long it waits, and others behind it."""
    known: bool = False
    """The running picture holds the whole table."""

    @property
    def alembic(self) -> bool:
        """Whether the migration is an Alembic revision."""
        return self.tool == "Alembic"
