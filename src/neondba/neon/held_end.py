"""Take a branch's end away while a copy of it is needed, and set it again afterwards.

Neon makes no branches of one that expires, and lets none expire that has some. The end is noted in a file
before it is taken away: where a run is killed, the next one that makes a throw-away puts it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError

from neondba.core.context import Context
from neondba.core.marks import abandoned, forget, marked
from neondba.core.problem import NotFoundProblem, Problem
from neondba.core.whole_file import put

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project

SOONEST: Final = timedelta(minutes=5)
"""From now to an end that passed meanwhile: Neon takes none that is past."""


class _Note(BaseModel):
    project: str
    branch: str
    name: str
    expires_at: datetime


def steps(branch: str | None) -> list[str]:
    """Give the step of a plan that copies a branch which may expire."""
    said = "take its end away meanwhile, and set it again afterwards: Neon copies no branch that has one"
    return [f"If {branch} expires, {said}."] if branch else []


def is_held(ctx: Context, branch: Branch) -> bool:
    """Tell whether somebody on this machine has taken the branch's end away."""
    return _note_path(ctx, branch.id).is_file()


@contextmanager
def held(client: NeonClient, ctx: Context, project: Project, branch: Branch) -> Iterator[None]:
    """Let a branch stay meanwhile; who needs it last sets its end again.

    Raises:
        Problem: the end cannot be taken away.
    """
    try:
        with marked(_folder(ctx), f"{branch.id}.{ctx.chance.getrandbits(32):08x}"):
            if branch.expires_at is not None:
                until = f"{branch.expires_at:%Y-%m-%d %H:%M} UTC"
                ctx.progress(f"{branch.name} expires at {until}: it stays while a copy of it is needed.")
                path = _note_path(ctx, branch.id)
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                note = _Note(
                    project=project.id, branch=branch.id, name=branch.name, expires_at=branch.expires_at
                )
                put(path, note.model_dump_json().encode())
                client.update_branch(project.id, branch.id, expires_at=None)
            yield
    finally:
        _set_again(client, ctx, branch.id)


def put_back(client: NeonClient, ctx: Context, project: Project) -> None:
    """Set the ends again that killed runs had taken away in a project."""
    gone = abandoned(_folder(ctx))
    for name in gone:
        forget(_folder(ctx), name)
    for path in sorted((_folder(ctx) / "notes").glob("*.json")):
        note = _read(path)
        if note is not None and note.project == project.id:
            _set_again(client, ctx, note.branch)


def _set_again(client: NeonClient, ctx: Context, branch: str) -> None:
    """Set an end, unless another run still needs the branch."""
    path = _note_path(ctx, branch)
    note = _read(path)
    if note is None or any(_folder(ctx).glob(f"{branch}.*")):
        return
    soonest = (ctx.clock.now() + SOONEST).replace(microsecond=0)
    try:
        client.update_branch(note.project, note.branch, expires_at=max(note.expires_at, soonest))
    except NotFoundProblem:
        pass
    except Problem as problem:
        # The listener, not ctx.progress: that raises when the user has cancelled.
        ctx.listener(
            f"Branch {note.name} does not expire any more: {problem.message} Set its end again: "
            f"neondba branch expire {quote(note.name)} 1h --project {quote(note.project)}",
            None,
        )
    path.unlink(missing_ok=True)


def _read(path: Path) -> _Note | None:
    try:
        return _Note.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _folder(ctx: Context) -> Path:
    return ctx.settings.state_dir / "held-ends"


def _note_path(ctx: Context, branch: str) -> Path:
    return _folder(ctx) / "notes" / f"{branch}.json"
