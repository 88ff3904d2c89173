"""A figure with its origin: given, read in a file, measured, published or assumed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from neondba.neon.limits import published

Origin = Literal["given", "read", "measured", "published", "assumed"]


class Figure(BaseModel):
    """One number of the arithmetic, and why it is this one."""

    name: str
    value: float | None
    """Absent where there is no limit."""
    unit: str = ""
    origin: Origin
    where: str
    """The option, the file and line, what was measured, the document, or why it is assumed."""

    @property
    def whole(self) -> int:
        """The number as a count."""
        return int(self.value or 0)

    def shown(self) -> str:
        """Write the number with its unit."""
        if self.value is None:
            return "no limit"
        return f"{self.value:g} {self.unit}".rstrip()


def given(name: str, value: float, option: str, unit: str = "") -> Figure:
    """Make a figure that the user has given."""
    return Figure(name=name, value=value, unit=unit, origin="given", where=option)


def read(name: str, value: float | None, where: str, unit: str = "") -> Figure:
    """Make a figure that stands in a file."""
    return Figure(name=name, value=value, unit=unit, origin="read", where=where)


def measured(name: str, value: float, how: str, unit: str = "") -> Figure:
    """Make a figure that was measured."""
    return Figure(name=name, value=value, unit=unit, origin="measured", where=how)


def assumed(name: str, value: float | None, why: str, unit: str = "") -> Figure:
    """Make a figure that nobody has said."""
    return Figure(name=name, value=value, unit=unit, origin="assumed", where=why)


def by_document(name: str, value: float | None, source: str, unit: str = "") -> Figure:
    """Make a figure that a document states."""
    return Figure(name=name, value=value, unit=unit, origin="published", where=source)


def of_neon(name: str, value: float, unit: str = "", *, formula: str | None = None) -> Figure:
    """Make a figure that Neon publishes, with the source of the formula's name."""
    found = published(formula or name)
    return by_document(name, value, f"{found.source}, {found.dated}: {found.formula}", unit)
