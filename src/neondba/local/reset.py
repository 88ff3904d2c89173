"""Take a state folder back to nothing but its ports, certificates and template."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel

from neondba.core.plan import Effect, Plan, Target
from neondba.local.server_file import folder_of

if TYPE_CHECKING:
    from neondba.core.context import Context

KEPT: Final = frozenset({"ports.json", "tls", "templates", "server.lock", "server.log"})
"""Connection strings and trust outlive the projects; making the template again would only take time.
Whatever else is in the folder belongs to projects."""
FIRST: Final = ("state.sqlite-shm", "state.sqlite-wal", "state.sqlite")
"""Without rows all directories are nobody's: a reset that is killed is finished by the next start."""


class Reset(BaseModel):
    """What a reset has deleted."""

    state_dir: Path
    deleted: tuple[str, ...]
    """Names of the projects."""
    running: bool
    """True when the local Neon runs again, at the same addresses."""
    kept: Literal["ports, certificates and template"] = "ports, certificates and template"
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:  # noqa: ARG002 - one line each
        """Say what is gone."""
        names = ", ".join(self.deleted)
        what = f"Deleted with all branches: {names}." if names else "There was no project to delete."
        now = "It runs at the same addresses." if self.running else "It does not run."
        return f"{what} {now}"


def project_names(ctx: Context) -> tuple[str, ...]:
    """Give the names of all projects, also while the server does not run or cannot."""
    file = folder_of(ctx.settings.state_dir) / "state.sqlite"
    if not file.exists():
        return ()
    from neondba.local.state import peek

    found = peek.project_names(file)
    return ("whatever is there: its state cannot be read",) if found is None else found


def empty(state_dir: Path) -> None:
    """Delete everything of a stopped local Neon but what is worth keeping.

    Raises:
        ConflictProblem: a server has been started meanwhile.
    """
    from neondba.local.server import only_one
    from neondba.local.storage.directories import remove

    folder = folder_of(state_dir)
    if not folder.is_dir():
        return
    with only_one(folder):
        trash = folder / "reset"
        trash.mkdir(mode=0o700, exist_ok=True)
        for name in FIRST:
            if (folder / name).exists():
                (folder / name).replace(trash / name)
        for place in folder.iterdir():
            if place.name not in KEPT:
                remove(place)


def one(ctx: Context, name: str) -> Reset:
    """Delete a single project with its branches.

    Raises:
        NotFoundProblem: there is none of this name or id.
    """
    from neondba.local.platform import local_client

    with local_client(ctx) as client:
        project = client.find_project(name)
        plan = Plan(
            operation="local.reset",
            effect=Effect.DESTROY,
            target=Target(project=project.name),
            steps=(f"Delete project {project.name} ({project.id}) with its branches and data.",),
        )
        with ctx.carry_out(plan):
            client.delete_project(project.id, hard=True)
    return Reset(state_dir=ctx.settings.state_dir, deleted=(project.name,), running=True)
