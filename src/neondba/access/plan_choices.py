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
    closed: frozenset[str] = frozenset()

    @property
    def tables(self) -> frozenset[str]:
        """Every table that was named."""
        return self.public | self.shared | self.closed | self.owners.keys()


def choices(shapes: Mapping[str, Shape], given: Mapping[str, Iterable[str]]) -> Choices:
    """Read, by option, `table=column`, `table=one,other` and names of tables.

    Raises:
        NotFoundProblem: there is no such table or column.
    """
    owners = {}
    for text in given["owner"]:
        names = text.rpartition("=" if "=" in text else ".")[2]
        shape = _table(shapes, _table_in("owner", text), f"--owner {text}")
        columns = tuple(shape.column(name.strip()) for name in names.split(","))
        if missing := [n for n, c in zip(names.split(","), columns, strict=True) if c is None]:
            raise NotFoundProblem(
                "owner-column-not-found",
                f"{shape.name} has no column {missing[0] or '(nothing)'}.",
                hint=f"Write --owner table=column. It has: {', '.join(c.name for c in shape.columns)}.",
            )
        owners[shape.name] = tuple(c for c in columns if c is not None)
    named = {
        option: frozenset(_table(shapes, name, f"--{option} {name}").name for name in given[option])
        for option in ("public", "shared", "closed")
    }
    return Choices(owners, **named)


def table_of(option: str, text: str) -> str:
    """Give the bare table that the value of an option is about."""
    return _table_in(option, text).rpartition(".")[2].strip()


def _table_in(option: str, text: str) -> str:
    if option != "owner":
        return text
    return text.partition("=")[0] if "=" in text else text.rpartition(".")[0]


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
