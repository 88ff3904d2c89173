"""The map of a project's isolation: every reachable statement with its verdict."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from neondba.project.isolation.judged import Binding, Judged


class Reached(BaseModel):
    """One statement under one entrance."""

    entrance: str
    kind: str
    """`route`, `server action`, `page`, `tool` or `job`."""
    place: str
    """Path and line of the entrance."""
    principal: str
    statement: str
    """`select`, `get`, `insert`, `update` or `delete`."""
    table: str
    owner: str
    at: str
    """Path and line of the statement."""
    binding: Binding
    why: str
    way: list[str]
    """The calls between the two."""


class IsolationMap(BaseModel):
    """Every statement on rows with an owner that somebody outside can reach."""

    summary: str
    counts: dict[str, int]
    statements: list[Reached]

    @property
    def opened(self) -> int:
        """Count the open ones."""
        return self.counts.get(Binding.OPEN, 0)

    def as_text(self, width: int) -> str:
        """Show the map for a person, one entrance after the other."""
        lines = [f"{self.summary[:1].upper()}{self.summary[1:]}."]
        entrance = ""
        for reached in self.statements:
            if f"{reached.place} {reached.entrance}" != entrance:
                entrance = f"{reached.place} {reached.entrance}"
                lines += ["", f"{reached.entrance}  {reached.place}"]
            what = f"{reached.statement} {reached.table}"
            lines.append(f"  {reached.binding.upper():<12}{what:<28} {reached.at}"[:width])
            lines.append(f"              {reached.why}"[:width])
            if reached.way:
                lines.append(
                    f"              through {', '.join(w.partition(' ')[2] for w in reached.way)}"[:width]
                )
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """Write the map as a table."""
        lines = [
            f"{self.summary}.",
            "",
            "| entrance | statement | binding | why |",
            "| --- | --- | --- | --- |",
        ]
        for reached in self.statements:
            said = f"{reached.statement} {reached.table} ({reached.owner}), `{reached.at}`"
            cells = (f"{reached.entrance}, `{reached.place}`", said, f"**{reached.binding}**", reached.why)
            lines.append(f"| {' | '.join(_cell(c) for c in cells)} |")
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def isolation_map(folder: Path, *, only_open: bool) -> IsolationMap:
    """Read a project and judge its statements."""
    from neondba.core.collector import collector_resting
    from neondba.project.facts import Facts
    from neondba.project.isolation.fact import Isolation
    from neondba.project.tree import FolderTree

    with collector_resting():
        isolation = Facts(FolderTree(folder)).get(Isolation)
    shown = [j for j in isolation.judged if not only_open or j.binding is Binding.OPEN]
    return IsolationMap(
        summary=isolation.sentence,
        counts={str(binding): count for binding, count in isolation.counts.items()},
        statements=[_reached(j) for j in shown],
    )


def _reached(judged: Judged) -> Reached:
    entrance = judged.entrance
    return Reached(
        entrance=entrance.name,
        kind=str(entrance.kind),
        place=f"{entrance.path}:{entrance.line}",
        principal=entrance.principal,
        statement=judged.kind,
        table=judged.table,
        owner=judged.owner,
        at=f"{judged.path}:{judged.line}",
        binding=judged.binding,
        why=judged.why,
        way=[f"{s.path}:{s.line} {s.name}()" for s in judged.way],
    )
