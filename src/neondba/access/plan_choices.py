"""What the user decides: by options, and by comments that an earlier plan has left on policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from neondba.core.problem import NotFoundProblem
from neondba.postgres.shapes import Column, Shape


@dataclass(frozen=True)
class Choices:
    """Tables and columns that the user has named."""

    owners: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)
    public: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()


def choices(
    shapes: Mapping[str, Shape], owner: Iterable[str], public: Iterable[str], shared: Iterable[str]
) -> Choices:
    """Read `table=column`, `table=one,other` and names of tables.

    Raises:
        NotFoundProblem: there is no such table or column.
    """
    owners = {}
    for text in owner:
        table, _, names = text.partition("=") if "=" in text else text.rpartition(".")
        shape = _table(shapes, table, f"--owner {text}")
        columns = tuple(shape.column(name.strip()) for name in names.split(","))
        if missing := [n for n, c in zip(names.split(","), columns, strict=True) if c is None]:
            raise NotFoundProblem(
                "owner-column-not-found",
                f"{shape.name} has no column {missing[0] or '(nothing)'}.",
                hint=f"Write --owner table=column. It has: {', '.join(c.name for c in shape.columns)}.",
            )
        owners[shape.name] = tuple(c for c in columns if c is not None)
    named_public = frozenset(_table(shapes, name, f"--public {name}").name for name in public)
    named_shared = frozenset(_table(shapes, name, f"--shared {name}").name for name in shared)
    return Choices(owners, named_public, named_shared)


def _table(shapes: Mapping[str, Shape], name: str, said: str) -> Shape:
    wanted = name.strip()
    for known, shape in shapes.items():
        bare = known.replace('"', "")
        if wanted in (known, bare, bare.partition(".")[2]):
            return shape
    raise NotFoundProblem(
        "table-not-found",
        f"{said}: there is no table {wanted or '(nothing)'}.",
        hint=f"There are: {', '.join(shapes)}.",
    )
