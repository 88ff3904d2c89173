"""The migrated branch that tests branch from: made once, shared by all workers, kept while it fits."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.problem import ArgumentProblem, ConflictProblem, Problem
from neondba.testing.branch import NeonBranch

if TYPE_CHECKING:
    from neondba.neon.models import Branch
    from neondba.testing.session import Session

Migrate = Callable[[NeonBranch], object]

_OURS: Final = re.compile(r"neondba-template-[0-9a-f]{8}")
_BUILD_LIMIT: Final = timedelta(hours=1)
_UNUSED_AFTER: Final = timedelta(days=1)


def name_for(key: str) -> str:
    """Give the template branch's name for whatever tells templates apart."""
    return f"neondba-template-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def digest(root: Path, patterns: Iterable[str], *more: str) -> str:
    """Give a digest of the files at these paths and patterns: another one, another template.

    Raises:
        ArgumentProblem: nothing is there, so a changed migration would go unnoticed.
    """
    made = hashlib.sha256("\0".join(more).encode())
    for pattern in patterns:
        found = sorted(_files(root, pattern))
        if not found:
            raise ArgumentProblem(
                "migrations-not-found",
                f"neon_migrations names {pattern}, and {root} holds no such file.",
                hint="Correct the path: it is relative to pytest's root folder.",
            )
        for file in found:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            made.update(f"{file.relative_to(root)}\0{content}\0".encode())
    return made.hexdigest()


def _files(root: Path, pattern: str) -> Iterable[Path]:
    for place in root.glob(pattern.rstrip("/")):
        inside = place.rglob("*") if place.is_dir() else [place]
        yield from (one for one in inside if one.is_file() and "__pycache__" not in one.parts)


def ensure(session: Session, name: str, parent: str | None, migrate: Migrate) -> Branch:
    """Give the template of this name; build it first if it is not there.

    It is built under another name and renamed when it is whole, so a build that was killed is never
    taken for a template.
    """
    from neondba.branches.run import alone

    with alone(session.ctx, "pytest-template"):
        found = _existing(session, name)
        return found or _built(session, name, parent, migrate)


def remove(session: Session, name: str) -> None:
    """Delete a template that no later run can use."""
    found = _existing(session, name)
    if found is not None:
        session.client.delete_branch(session.project.id, found.id, hard=True)


def _existing(session: Session, name: str) -> Branch | None:
    there = session.client.branches(session.project.id)
    return next((each for each in there if each.name == name), None)


def _built(session: Session, name: str, parent: str | None, migrate: Migrate) -> Branch:
    from neondba.neon.throwaway import reached

    client, project, ctx = session.client, session.project, session.ctx
    _sweep(session)
    source = client.find_branch(project, parent).id if parent else None
    made = client.create_branch(
        project.id,
        f"neondba-building-{ctx.chance.getrandbits(32):08x}",
        parent_id=source,
        expires_at=ctx.clock.now() + _BUILD_LIMIT,
    ).branch
    try:
        migrate(session.seen(reached(client, project.id, made, session.database)))
        client.update_branch(project.id, made.id, name=name, expires_at=None)
    except BaseException as error:
        with suppress(Problem):
            client.delete_branch(project.id, made.id)
        theirs = _existing(session, name) if isinstance(error, ConflictProblem) else None
        if theirs is None:
            raise
        return theirs  # Another machine was faster.
    return client.branch(project.id, made.id)


def _sweep(session: Session) -> None:
    """Remove templates of older migrations; one whose branches are in use stays."""
    before = session.ctx.clock.now() - _UNUSED_AFTER
    for branch in session.client.branches(session.project.id):
        if _OURS.fullmatch(branch.name) and branch.created_at < before and not branch.protected:
            with suppress(Problem):
                session.client.delete_branch(session.project.id, branch.id, hard=True)


def command(text: str, folder: Path) -> Migrate:
    """Give what runs this command once on the template, past the pooler as migrations need."""

    def migrate(branch: NeonBranch) -> None:
        from neondba.local.environment import fill, merged

        ours = {**branch.environment, "DATABASE_URL": branch.url_unpooled}
        fill(text, folder, merged(os.environ, ours), "the template of the tests")

    return migrate
