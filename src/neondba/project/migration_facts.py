"""Which executed fact says what a step of a migration does."""

from __future__ import annotations

import re
from functools import cache

from neondba.postgres.facts import Fact, fact, listed
from neondba.postgres.sql_types import AWARE, NAIVE, base_type, size
from neondba.project.migration_step import Step
from neondba.project.schema_table import Column

SAME = "alter-type-varchar-unlimited"
"""Any change of type that leaves stored values as they are."""
REWRITE = "alter-type-int-to-bigint"
FACTS = {
    "drop column": "drop-column", "drop table": "drop-table", "rename column": "rename-column",
    "rename table": "rename-table", "drop not null": "drop-not-null", "set default": "set-default",
    "add primary key": "add-primary-key", "add exclude": "add-exclusion",
    "drop constraint": "drop-constraint", "attach partition": "attach-partition",
    "set logged": "set-logged", "set unlogged": "set-unlogged", "set tablespace": "set-tablespace",
    "create trigger": "create-trigger", "vacuum full": "vacuum-full", "cluster": "cluster",
    "update": "update-all", "delete": "delete-all", "truncate": "truncate",
    "validate constraint": "validate-check", "add check": "add-check", "add foreign key": "add-foreign-key",
    "add unique": "add-unique", "create index": "create-index", "drop index": "drop-index",
    "reindex": "reindex-table", "refresh": "refresh-materialized-view", "set not null": "set-not-null",
    "change": "enable-row-level-security",
}  # fmt: skip
NOT_VALID = {"add check": "add-check-not-valid", "add foreign key": "add-foreign-key-not-valid"}
USING_INDEX = {"add unique": "add-unique-using-index", "add primary key": "add-primary-key-using-index"}
ONLINE = {
    "create index": "create-index-concurrently", "drop index": "drop-index-concurrently",
    "reindex": "reindex-concurrently", "refresh": "refresh-materialized-view-concurrently",
}  # fmt: skip
CALLED = re.compile(r"\b([a-z_][a-z0-9_]*)\s*\(", re.IGNORECASE)
TEXT = frozenset({"text", "character varying", "citext"})


def fact_of(step: Step) -> Fact | None:
    """Give what was seen of a statement such as a step's; `None` where nothing was tried."""
    if step.kind == "add column" and step.column is not None:
        return fact(_added(step.column))
    if step.kind == "alter type":
        return fact(retyped(step))
    if step.kind == "set not null" and step.proven:
        return fact("set-not-null-with-valid-check")
    if step.kind == "add not null":
        return fact("add-not-null-not-valid" if step.not_valid else "set-not-null")
    if step.kind == "add primary key" and step.using_index and step.before is not None:
        return fact("add-primary-key-using-index-nullable")
    for applies, names in (
        (step.not_valid, NOT_VALID), (bool(step.using_index), USING_INDEX), (step.concurrently, ONLINE)
    ):  # fmt: skip
        if applies and step.kind in names:
            return fact(names[step.kind])
    return fact(FACTS[step.kind]) if step.kind in FACTS else None


def is_volatile(default: str | None) -> bool:
    """Tell whether a default calls a function whose value differs from row to row."""
    return bool({name.lower() for name in CALLED.findall(default or "")} & listed("volatile-functions"))


def _added(column: Column) -> str:
    if column.database_default and is_volatile(column.default):
        return "add-column-default-uuid"
    if column.computed:
        return "add-column-identity"
    if column.unique or column.primary_key:
        return "add-column-unique"
    if column.references:
        return "add-column-foreign-key-default" if column.database_default else "add-column-foreign-key"
    if column.checks:
        return "add-column-check-default" if column.database_default else "add-column-check"
    return "add-column-default-constant" if column.database_default else "add-column"


def retyped(step: Step) -> str:
    """Name the fact about a change of type from the old to the new one."""
    old, new = step.old_type, step.type
    if not new or (old == new and not (new == "enum" and step.using)):
        return SAME
    if step.using is not None and not _is_plain_cast(step.using, step.name or ""):
        return "alter-type-varchar-to-int-using"
    if not old:
        return SAME if base_type(new) in TEXT else REWRITE
    before, after = base_type(old), base_type(new)
    if {before, after} == {NAIVE, AWARE}:
        return "alter-type-timestamp-to-timestamptz-utc"
    if {before, after} <= TEXT:
        return "alter-type-varchar-narrower" if narrows(old, new) else "alter-type-varchar-wider"
    if before == after == "numeric":
        return "alter-type-numeric-scale" if _numeric_narrows(old, new) else "alter-type-numeric-wider"
    return SAME if f"{before} -> {after}" in listed("casts-without-rewrite") else REWRITE


def narrows(old: str | None, new: str | None) -> bool:
    """Tell whether a text type gets a limit that values may be over."""
    if not {base_type(old or ""), base_type(new or "")} <= TEXT:
        return False
    limit, before = size(new or ""), size(old or "")
    return limit is not None and (before is None or limit < before)


def casts_by_itself(old: str, new: str) -> bool:
    """Tell whether ALTER COLUMN TYPE goes from one type to the other without USING."""
    before, after = base_type(old), base_type(new)
    if before == after or before == "enum" or after == "enum":
        return before == after or after in TEXT
    if old.endswith("[]") != new.endswith("[]"):
        return after in TEXT and not new.endswith("[]")
    known = _types()
    if before not in known or after not in known:
        return True
    return after in TEXT or f"{before} -> {after}" in listed("casts-without-using")


@cache
def _types() -> frozenset[str]:
    """Types that some cast speaks of; of others we know nothing."""
    pairs = [pair.split(" -> ") for pair in listed("casts-without-using")]
    return frozenset({name for pair in pairs for name in pair} | {"uuid"})


def _is_plain_cast(using: str, column: str) -> bool:
    """`USING x::text` says no more than the type itself."""
    text = using.replace('"', "").replace("(", "").replace(")", "").lower().strip()
    return bool(re.fullmatch(rf"(cast\s*)?{re.escape(column.lower())}(\s*::.*|\s+as\s+.*)?", text))


def _numeric_narrows(old: str, new: str) -> bool:
    def parts(type_: str) -> list[int]:
        return [int(p) for p in type_.partition("(")[2].rstrip(")").split(",") if p.strip().isdigit()]

    before, after = parts(old), parts(new)
    if not after:
        return False
    return not before or before[1:] != after[1:] or after[0] < before[0]
