"""A way into a TypeScript project, before it is followed."""

from __future__ import annotations

from dataclasses import dataclass, field

from neondba.project.isolation.judged import EntranceKind
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.nodes import Node
from neondba.project.typescript.values import Value


@dataclass(eq=False)
class Way:
    """A way in, before it is followed."""

    kind: EntranceKind
    name: str
    address: str
    file: TypeScriptFile
    line: int
    node: Node
    """A function, or an expression that stands for one."""
    arguments: list[Value]
    before: list[tuple[TypeScriptFile, Node]] = field(default_factory=list)
    """Middlewares, in their order."""
    shape: str = "plain"
    """`plain`, `server` (request, response, next), `procedure` or `tool`."""
    wrappers: str = ""
    """Dotted names of procedures and wrappers around it."""
    guarded: bool = False
    """Decorators say that no stranger gets in."""
    staff: bool = False
    owned: bool = False
    """A guard before it compares what the address names with the caller."""
    parsed: frozenset[str] = frozenset()
    """What a pipe before it has cleaned of fields nobody named."""
