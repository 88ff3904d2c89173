"""The Alembic revisions of a project and how they hang together."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from neondba.project.alembic_operations import Operation
from neondba.project.alembic_walk import operations_of
from neondba.project.python import PythonFile, PythonFiles


@dataclass(eq=False)
class Revision:
    """One revision file."""

    id: str
    parents: tuple[str, ...]
    path: str
    line: int
    """Line of `revision = …`."""
    message: str
    file: PythonFile
    python: PythonFiles = field(repr=False)
    """All of the project: helpers and types stand elsewhere."""
    depends_on: tuple[str, ...] = ()
    parent_line: int = 1

    @cached_property
    def upgrade(self) -> list[Operation]:
        """What `upgrade()` does, in order."""
        return operations_of(self.file, "upgrade", self.python)

    @cached_property
    def downgrade(self) -> list[Operation]:
        """What `downgrade()` does, in order."""
        return operations_of(self.file, "downgrade", self.python)

    def function(self, name: str) -> ast.FunctionDef | None:
        """Give `upgrade` or `downgrade` itself."""
        for function in self.file.functions:
            if (
                function.name == name
                and isinstance(function.node, ast.FunctionDef)
                and function.owner is None
            ):
                return function.node
        return None

    @cached_property
    def creates(self) -> frozenset[str]:
        """Keys of the tables that `upgrade()` creates."""
        return frozenset(o.table.key for o in self.upgrade if o.kind == "create_table" and o.table)


@dataclass
class History:
    """The revisions of one `versions` folder."""

    folder: str
    revisions: list[Revision] = field(default_factory=list)

    @cached_property
    def by_id(self) -> dict[str, Revision]:
        """Revisions by id; of two with the same id the first."""
        return {r.id: r for r in reversed(self.revisions)}

    @cached_property
    def heads(self) -> list[Revision]:
        """Revisions that no other one follows."""
        parents = {p for r in self.revisions for p in (*r.parents, *r.depends_on)}
        return [r for r in self.revisions if not any(_same(r.id, p) for p in parents)]

    @cached_property
    def roots(self) -> list[Revision]:
        """Revisions that follow none."""
        return [r for r in self.revisions if not r.parents]

    @cached_property
    def missing(self) -> list[tuple[Revision, str]]:
        """Revisions whose parent is nowhere, and that parent."""
        return [(r, p) for r in self.revisions for p in r.parents if self.find(p) is None]

    @cached_property
    def twins(self) -> list[tuple[Revision, Revision]]:
        """Pairs of revisions with the same id."""
        return [(r, self.by_id[r.id]) for r in self.revisions if self.by_id[r.id] is not r]

    def find(self, id_: str) -> Revision | None:
        """Give a revision by its id or the start of it."""
        return self.by_id.get(id_) or next((r for r in self.revisions if _same(r.id, id_)), None)

    @cached_property
    def cycle(self) -> list[Revision]:
        """The revisions that wait for each other; empty in a sound history."""
        ordered = {r.id for r in self.ordered}
        return [r for r in self.revisions if r.id not in ordered and not self.missing]

    @cached_property
    def ordered(self) -> list[Revision]:
        """Revisions so that parents come first; those with a missing parent count as roots."""
        children: dict[str, list[Revision]] = defaultdict(list)
        waits: dict[str, int] = {}
        for revision in self.revisions:
            known = {p.id for name in (*revision.parents, *revision.depends_on) if (p := self.find(name))}
            waits[revision.id] = len(known)
            for parent in known:
                children[parent].append(revision)
        ready = [r for r in self.revisions if not waits[r.id]]
        found: list[Revision] = []
        while ready:
            revision = ready.pop(0)
            found.append(revision)
            for child in children[revision.id]:
                waits[child.id] -= 1
                if waits[child.id] == 0:
                    ready.append(child)
        return found


@dataclass
class AlembicHistory:
    """Every Alembic history of a tree."""

    histories: list[History] = field(default_factory=list)

    @classmethod
    def gather(cls, python: PythonFiles) -> AlembicHistory:
        """Find the revision files and join them by folder."""
        found: dict[str, History] = {}
        for file in python.containing("down_revision"):
            revision = _revision(file, python)
            if revision is not None:
                folder = file.path.rpartition("/")[0]
                found.setdefault(folder, History(folder)).revisions.append(revision)
        return cls(list(found.values()))

    @property
    def revisions(self) -> Iterator[tuple[History, Revision]]:
        """Every revision with its history, parents first."""
        for history in self.histories:
            for revision in history.ordered:
                yield history, revision


def _revision(file: PythonFile, python: PythonFiles) -> Revision | None:
    values = {name: node for name, node in file.own_names.items() if isinstance(node, ast.expr)}
    id_ = _constant(values.get("revision"))
    if "down_revision" not in values or not isinstance(id_, str):
        return None
    tree = file.tree
    text = (ast.get_docstring(tree) or "") if tree else ""
    parents, line = values["down_revision"], values["revision"].lineno
    message, depends_on = text.partition("\n")[0], _ids(values.get("depends_on"))
    return Revision(id_, _ids(parents), file.path, line, message, file, python, depends_on, parents.lineno)


def _ids(node: ast.expr | None) -> tuple[str, ...]:
    value = _constant(node)
    if isinstance(value, str):
        return (value,)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, tuple | list) else ()


def _constant(node: ast.expr | None) -> object:
    try:
        return ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None


def _same(id_: str, given: str) -> bool:
    """Alembic accepts the first part of an id."""
    return id_ == given or (len(given) >= 4 and id_.startswith(given))
