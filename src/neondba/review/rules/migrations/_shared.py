"""Words and groups that the migration rules share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import wraps
from typing import ParamSpec

from neondba.postgres.ddl.names import quote_ident
from neondba.postgres.statement import Name
from neondba.project.migration_facts import fact_of
from neondba.project.migration_steps import Step
from neondba.review.finding import Finding

MANY = 4
"""From how many further places on a migration repeats one decision."""
RUN_TIME = re.compile(r"`…(?:\.…)?`")
P = ParamSpec("P")
IN_NEXT = "-- in the next migration:"


def quoted(name: str | Name) -> str:
    """Write a name so that Postgres reads it back as it is."""
    if isinstance(name, Name):
        return f"{quoted(name.schema)}.{quoted(name.name)}" if name.schema else quoted(name.name)
    return quote_ident(name)


def rewrites(step: Step) -> bool:
    """Tell whether the whole table is written anew, as executed facts show."""
    seen = fact_of(step)
    return seen is not None and bool(seen.rewrites)


def settled(check: Callable[P, Iterator[Finding]]) -> Callable[P, Iterator[Finding]]:
    """Report a fault that a migration repeats on many tables once, and name what has no name yet."""

    @wraps(check)
    def settling(*facts: P.args, **more: P.kwargs) -> Iterator[Finding]:
        by_path: dict[str, list[Finding]] = {}
        for finding in check(*facts, **more):
            said = RUN_TIME.sub("a table that it names as it runs", finding.message)
            by_path.setdefault(finding.path, []).append(replace(finding, message=said))
        for findings in by_path.values():
            places: dict[int, Finding] = {}
            for finding in sorted(findings, key=lambda f: f.line):
                places.setdefault(finding.line, finding)
            first, *others = places.values()
            if len(others) < MANY:
                yield from places.values()
                continue
            lines = ", ".join(str(f.line) for f in others[:MANY])
            end = ", …" if len(others) > MANY else ""
            yield replace(
                first,
                message=f"{first.message} So it goes at {len(others)} further places: lines {lines}{end}.",
            )

    return settling


def by_table(steps: Iterable[Step]) -> list[list[Step]]:
    """Put the steps of one migration on one table together: they have one cause."""
    groups: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        groups.setdefault((step.path, step.table.key), []).append(step)
    return list(groups.values())


def blocks(step: Step) -> bool:
    """Tell whether others wait for as long as the table is large, as executed facts show."""
    seen = fact_of(step)
    return seen is not None and seen.blocks


def listed(names: Iterable[str | None]) -> str:
    """Write names as a person does: `a`, `b` and `c`."""
    quoted_names = [f"`{name}`" for name in dict.fromkeys(n for n in names if n)]
    if len(quoted_names) < 2:
        return "".join(quoted_names)
    return ", ".join(quoted_names[:-1]) + " and " + quoted_names[-1]


def alone(step: Step) -> str:
    """Say how a statement gets out of the migration's transaction."""
    if step.alembic:
        return "Run it inside `with op.get_context().autocommit_block():`; it cannot run in a transaction."
    if step.tool in ("Prisma", "Supabase", "Drizzle"):
        return f"Give it a migration file of its own: {step.tool} sends a file's statements together."
    return "Run it outside a transaction, in a migration of its own."


def index_name(step: Step) -> str:
    """Give the index's name, or the one Postgres would choose."""
    return step.name or "_".join([step.table.name, *step.columns, "idx"])


def columns_of(step: Step) -> str:
    """Write the columns for SQL."""
    return ", ".join(quoted(c) for c in step.columns) or "…"


def python_list(names: Iterable[str]) -> str:
    """Write names as a Python list."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def snippet(step: Step, sql: list[str]) -> str:
    """Write statements for the tool of the migration."""
    if not step.alembic:
        return "\n".join(sql)
    return "\n".join(_python(sql))


def _python(sql: list[str]) -> Iterator[str]:
    for line in sql:
        yield (
            line.replace("--", "#", 1) if line.startswith("--") else f"op.execute({line.removesuffix(';')!r})"
        )


def batches(step: Step) -> str:
    """Give an UPDATE that fills a column some rows at a time."""
    column = quoted(step.columns[0]) if step.columns else "…"
    table = quoted(step.table)
    batch = f"select ctid from {table} where {column} is null limit 10000"
    return (
        f"update {table} set {column} = …\nwhere ctid in ({batch});\n"
        "-- repeat until no row is updated, one transaction each"
    )
