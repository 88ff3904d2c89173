"""Masking rules: what they may say, and the statements they become."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from neondba.core.problem import ArgumentProblem
from neondba.local import sql
from neondba.postgres import expression
from neondba.postgres.admin import SQL, AdminSession, Identifier, Literal

WHERE: Final = ("database_name", "schema_name", "table_name", "column_name")
WHAT: Final = ("masking_function", "masking_value")
LONGEST: Final = 2000
PLAIN: Final = (
    " abs btrim ceil coalesce concat concat_ws date_trunc floor gen_random_uuid greatest initcap least left "
    "length lower lpad ltrim make_date md5 mod now nullif overlay random regexp_replace repeat replace "
    "reverse right round rpad rtrim split_part substr substring to_char to_date translate trim trunc upper "
)
"""Functions of PostgreSQL that may stand beside ours."""
TABLE_KINDS: Final = ("r", "p")


@dataclass(frozen=True)
class Rule:
    """What one column becomes."""

    database: str
    schema: str
    table: str
    column: str
    text: str | None
    """The expression, as SQL again; None for a value."""
    value: str | None
    columns: tuple[str, ...] = ()
    """The columns that the expression uses."""

    @property
    def where(self) -> str:
        """Name the column in full."""
        return f"{self.schema}.{self.table}.{self.column}"


@cache
def functions() -> tuple[str, ...]:
    """Give the names of our masking functions."""
    text = sql.text("anon") + sql.text("anon_invented")
    found = set(re.findall(r"function anon\.([a-z]\w*)", text)) | set(
        re.findall(r"\('(\w+_\w+)', \$\$", text)
    )
    return tuple(sorted(found))


def read(given: Mapping[str, Any]) -> Rule:
    """Read a rule as a client writes it.

    Raises:
        ArgumentProblem: a part is missing, or the function is none that is known.
    """
    for name in WHERE:
        if not isinstance(given.get(name), str) or not given[name] or "\0" in given[name]:
            raise _wrong(given, f"{name} is required")
    function, value = (given.get(name) for name in WHAT)
    if (function is None) == (value is None):
        raise _wrong(given, "give either masking_function or masking_value")
    database, schema, table, column = (str(given[name]) for name in WHERE)
    if function is None:
        if not isinstance(value, str) or "\0" in value:
            raise _wrong(given, "masking_value must be a text")
        return Rule(database, schema, table, column, None, value)
    if not isinstance(function, str) or len(function) > LONGEST:
        raise _wrong(given, f"masking_function must be a text of at most {LONGEST} characters")
    try:
        made = expression.read(function.strip().rstrip(";"))
    except SyntaxError as wrong:
        raise _wrong(given, f"masking_function cannot be read: {wrong}") from None
    for qualifier, name in made.calls:
        _known(given, qualifier, name)
    return Rule(database, schema, table, column, made.text, None, made.columns)


def _known(given: Mapping[str, Any], schema: str, name: str) -> None:
    if schema == "anon" and name in functions():
        return
    if schema in ("", "pg_catalog") and f" {name} " in PLAIN:
        return
    named = f"{schema}.{name}" if schema else name
    known = ", ".join(f"anon.{each}" for each in functions())
    raise _wrong(given, f"there is no masking function {named}; there are {known}")


def _wrong(given: Mapping[str, Any], what: str) -> ArgumentProblem:
    place = ".".join(str(given.get(name) or "?") for name in WHERE)
    return ArgumentProblem("masking-rule", f"masking rule for {place}: {what}")


def tables(rules: list[Rule]) -> dict[tuple[str, str], list[Rule]]:
    """Give the rules of one database by schema and table.

    Raises:
        ArgumentProblem: two are for one column.
    """
    found: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        beside = found.setdefault((rule.schema, rule.table), [])
        if any(other.column == rule.column for other in beside):
            raise ArgumentProblem("masking-rule", f"there are two masking rules for {rule.where}")
        beside.append(rule)
    return found


def update(session: AdminSession, rules: list[Rule]) -> Any:
    """Give the one statement that masks a table.

    Raises:
        ArgumentProblem: the table or a column is not there, or cannot be written.
    """
    first = rules[0]
    found = session.execute(sql.text("masked_table"), [first.schema, first.table]).fetchall()
    types = {name: kind for _, name, kind, _ in found}
    place = f"{first.schema}.{first.table} of database {first.database}"
    if not found:
        raise ArgumentProblem("masking-rule", f"there is no table {place}{_others(session, first.schema)}")
    if found[0][0] not in TABLE_KINDS or first.schema.startswith(("pg_", "information_schema")):
        raise ArgumentProblem("masking-rule", f"{place} is no table that can be masked")
    fixed = {name for _, name, _, computed in found if computed}
    parts = []
    for rule in rules:
        for name in (rule.column, *rule.columns):
            if name not in types:
                known = ", ".join(types)
                raise ArgumentProblem(
                    "masking-rule", f"there is no column {name} in {place}; there are {known}"
                )
        if rule.column in fixed:
            said = f"{rule.where} is generated; mask the columns that it comes from"
            raise ArgumentProblem("masking-rule", said)
        new = Literal(rule.value) if rule.text is None else SQL(rule.text)
        # A value of a column's own type needs no cast, and a text becomes what it says.
        parts.append(
            SQL("{} = cast(({}) as {})").format(Identifier(rule.column), new, SQL(types[rule.column]))
        )
    return SQL("update {} set {}").format(Identifier(first.schema, first.table), SQL(", ").join(parts))


def _others(session: AdminSession, schema: str) -> str:
    rows = session.execute(
        "select tablename from pg_tables where schemaname = %s order by 1 limit 50", [schema]
    ).fetchall()
    return f"; schema {schema} has {', '.join(row[0] for row in rows) or 'no tables'}"
