"""A project's revisions in order, or one Problem that names what is broken."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pydantic import BaseModel

from neondba.core.problem import ConflictProblem, NotFoundProblem


class Revision(BaseModel):
    """One migration file as its text states it."""

    id: str
    parents: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    file: str
    title: str = ""
    downgrade: str = "written"
    """`written`, `empty` (only `pass`) or `missing`."""

    @property
    def before(self) -> tuple[str, ...]:
        """The revisions that have to run first."""
        return (*self.parents, *self.needs)


def in_order(revisions: list[Revision], broken: list[dict[str, str]]) -> list[Revision]:
    """Sort the revisions so that each comes after those it builds on.

    Raises:
        ConflictProblem: a file cannot be read, an id is double, there are two heads or a cycle.
        NotFoundProblem: a revision builds on one that has no file.
    """
    if broken:
        first = broken[0]
        raise ConflictProblem(
            "migration-unloadable",
            f"{_short(first['file'])} cannot be loaded: {first['said']}.",
            hint="Correct the file; `alembic history` must run before migrations can be rehearsed.",
            files=[entry["file"] for entry in broken],
        )
    by_id = {revision.id: revision for revision in revisions}
    _no_doubles(revisions)
    _nothing_missing(revisions, _named(by_id))
    ordered = _sorted(by_id)
    _one_head(ordered)
    return ordered


def _named(by_id: dict[str, Revision]) -> dict[str, str]:
    """Map each name of a revision to its id: depends_on may hold labels."""
    names = {label: revision.id for revision in by_id.values() for label in revision.labels}
    return names | {key: key for key in by_id}


def _no_doubles(revisions: list[Revision]) -> None:
    for double, count in Counter(r.id for r in revisions).items():
        if count > 1:
            files = [_short(r.file) for r in revisions if r.id == double]
            raise ConflictProblem(
                "migration-double",
                f"Revision {double} is in {count} files: {', '.join(files)}.",
                hint="Give one of them a new id, and make its down_revision the other.",
                revision=double,
                files=files,
            )


def _nothing_missing(revisions: list[Revision], names: dict[str, str]) -> None:
    for revision in revisions:
        for parent in revision.before:
            if parent not in names:
                raise NotFoundProblem(
                    "migration-missing",
                    f"Revision {revision.id} ({_short(revision.file)}) builds on {parent},"
                    " which has no file.",
                    hint=f"Restore the file of {parent} from git, or correct down_revision.",
                    revision=revision.id,
                    missing=parent,
                )


def _sorted(by_id: dict[str, Revision]) -> list[Revision]:
    names = _named(by_id)
    placed: dict[str, Revision] = {}
    waiting = dict(sorted(by_id.items()))
    while waiting:
        ready = [r for r in waiting.values() if all(names[b] in placed for b in r.before)]
        if not ready:
            stuck = _cycle(waiting, names)
            files = ", ".join(f"{r.id} ({_short(r.file)})" for r in stuck)
            raise ConflictProblem(
                "migration-cycle",
                f"These revisions build on each other in a circle: {files}.",
                hint="Correct the down_revision of one of them.",
                revisions=[r.id for r in stuck],
            )
        for revision in ready:
            placed[revision.id] = waiting.pop(revision.id)
    return list(placed.values())


def _cycle(waiting: dict[str, Revision], names: dict[str, str]) -> list[Revision]:
    """Follow parents that wait too until one comes round again."""
    seen: list[str] = []
    current = next(iter(waiting))
    while current not in seen:
        seen.append(current)
        current = next(names[b] for b in waiting[current].before if names[b] in waiting)
    return [waiting[key] for key in seen[seen.index(current) :]]


def _one_head(ordered: list[Revision]) -> None:
    built_on = {parent for revision in ordered for parent in revision.parents}
    heads = [revision for revision in ordered if revision.id not in built_on]
    if len(heads) > 1:
        listed = ", ".join(f"{r.id} ({_short(r.file)})" for r in heads)
        raise ConflictProblem(
            "migration-heads",
            f"The history has {len(heads)} heads: {listed}.",
            hint=f"Join them: alembic merge {' '.join(r.id for r in heads)}",
            heads=[r.id for r in heads],
        )


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-3:])
