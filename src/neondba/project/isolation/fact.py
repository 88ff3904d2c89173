"""Who may reach whose rows, over all languages of a project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from neondba.project.isolation.judged import Binding, Judged
from neondba.project.isolation.python import PythonIsolation
from neondba.project.typescript.isolation import TypeScriptIsolation


class Isolation:
    """The verdict on each statement on rows that have an owner, by entrance."""

    def __init__(self, judged: list[Judged]) -> None:
        self.judged = sorted(
            judged, key=lambda j: (j.entrance.path, j.entrance.line, j.path, j.line, j.table)
        )

    @classmethod
    def gather(cls, python: PythonIsolation, typescript: TypeScriptIsolation) -> Isolation:
        """Put the verdicts of all languages together."""
        return cls([*python.judged, *typescript.judged])

    @property
    def counts(self) -> dict[Binding, int]:
        """How many statements are bound in which way, each under every entrance that reaches it."""
        return counted(j.binding for j in self.judged)

    @property
    def sentence(self) -> str:
        """One line: `41 statements reachable: 30 bound, 5 bound later, 3 public, 3 open`."""
        return sentence_of(self.counts)


def counted(bindings: Iterable[Binding]) -> dict[Binding, int]:
    """Count the bindings that there are, in the order in which reports name them."""
    found = Counter(bindings)
    return {binding: found[binding] for binding in Binding if found[binding]}


def sentence_of(counts: dict[Binding, int]) -> str:
    """Tell in one line how many statements are bound in which way."""
    if not counts:
        return "no statement on rows with an owner is reachable"
    reached = sum(counts.values())
    several = "statement" if reached == 1 else "statements"
    parts = ", ".join(f"{count} {binding}" for binding, count in counts.items())
    return f"{reached} {several} reachable: {parts}"
