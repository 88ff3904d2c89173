"""One step from one schema to another, and what it does to the data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Statement(BaseModel):
    """A statement of data definition."""

    model_config = ConfigDict(frozen=True)

    text: str
    """Without the semicolon."""
    object: str
    """Key of the object it is about."""
    destroys: bool = False
    """True when rows or values are gone afterwards."""
    rewrites: bool = False
    """True when every row of a table is written anew, or may be."""
    in_transaction: bool = True
    """False when what follows may use its work only after a commit."""


class Script(BaseModel):
    """Statements in the order in which they can run."""

    model_config = ConfigDict(frozen=True)

    statements: tuple[Statement, ...] = ()
    notes: tuple[str, ...] = ()
    """What no statement can bring about, and what was not compared."""

    @property
    def sql(self) -> str:
        """The whole as text, one statement after the other."""
        return "".join(f"{each.text};\n" for each in self.statements)

    @property
    def destroys(self) -> tuple[Statement, ...]:
        """The statements after which data is gone."""
        return tuple(each for each in self.statements if each.destroys)
