"""The numbers of a pool: an option, a variable, the code, the address, else what its library does."""

from __future__ import annotations

from typing import Final

from neondba.connections.check_source import Source
from neondba.connections.pool_asked import Asked
from neondba.connections.pool_code import CodePool
from neondba.connections.pool_figures import Figure, assumed, by_document, given, read
from neondba.connections.pool_variables import Variables

_LABELS: Final = {
    "size": ("pool size", ""),
    "overflow": ("overflow", ""),
    "pool_timeout": ("pool timeout", "s"),
    "connect_timeout": ("connect timeout", "s"),
}
_OF_LIBPQ: Final = {"connect_timeout": "connect_timeout"}
_OF_ADDRESS: Final = {
    "prisma": {"size": "connection_limit", "pool_timeout": "pool_timeout", **_OF_LIBPQ},
    "pgxpool": {"size": "pool_max_conns", **_OF_LIBPQ},
    "node-postgres": {},
    "prisma-adapter": {},
    "postgres.js": {},
}
"""Parameters that a library reads off the address; the others leave that to libpq."""


def numbers(
    asked: Asked, main: CodePool, variables: Variables, source: Source | None, *, found: bool
) -> dict[str, Figure]:
    """Give the four numbers with their origins."""
    options = {"size": ("--pool-size", asked.pool_size), "overflow": ("--overflow", asked.overflow)}
    figures = {}
    for name, (label, unit) in _LABELS.items():
        flag, option = options.get(name, ("", None))
        if option is not None:
            figures[name] = given(label, option, flag, unit)
        elif (count := variables.of(main.variables.get(name))) is not None:
            figures[name] = read(label, count.value, count.place, unit)
        elif name in main.numbers:
            figures[name] = read(label, main.numbers[name], main.place, unit)
        elif source is not None and (there := _of_address(name, main, source)) is not None:
            figures[name] = read(label, there or None, f"the address in {source.found_in}", unit)
        elif name == "overflow" and asked.pool_size is not None:
            figures[name] = assumed(label, 0, "--pool-size alone; --overflow")
        else:
            default: float | None = getattr(main.of, name)
            why = "nothing else is set" if found else "no pool was found in the code"
            figures[name] = by_document(label, default, f"{main.of.source}; {why}", unit)
    return figures


def _of_address(name: str, main: CodePool, source: Source) -> float | None:
    word = _OF_ADDRESS.get(main.library, _OF_LIBPQ).get(name)
    value = source.url.parameter(word) if word else None
    return float(value) if value and value.isdigit() else None
