"""What the operations on previews answer with: host names, never passwords."""

from __future__ import annotations

from datetime import datetime
from shlex import join, quote
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel

from neondba.neon.models import Branch, Project

if TYPE_CHECKING:
    from neondba.branches.preview_outlet import Outlet
    from neondba.neon.throwaway import Throwaway


class Preview(BaseModel):
    """The branch of a pull request, ready for connections."""

    project: str
    name: str
    id: str
    parent: str
    created: bool
    """False where it was there already."""
    host: str
    role: str
    database: str
    expires_at: datetime | None
    written_to: tuple[str, ...] = ()
    """Where the addresses are."""
    next: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        project: Project,
        branch: Branch,
        reached: Throwaway,
        host: str,
        source: Branch,
        created: bool,
        outlet: Outlet,
        words: tuple[str, ...],
    ) -> Self:
        """Take it from what was made or found."""
        where = f"--project {quote(project.name)}"
        to_file = f"neondba branch checkout {quote(branch.name)} {where}"
        gone = f"neondba preview delete {join(words)} {where}"
        return cls(
            project=project.name,
            name=branch.name,
            id=branch.id,
            parent=source.name,
            created=created,
            host=host,
            role=reached.role,
            database=reached.database,
            expires_at=branch.expires_at,
            written_to=outlet.written(),
            next=(*outlet.advice(), gone) if outlet.written() else (to_file, gone),
        )

    def outputs(self) -> dict[str, str]:
        """Give what other jobs of a workflow may know."""
        return {
            "branch": self.name,
            "branch_id": self.id,
            "host": self.host,
            "created": "true" if self.created else "false",
            "expires_at": self.expires_at.isoformat() if self.expires_at else "",
        }


class PreviewDeleted(BaseModel):
    """What is gone."""

    project: str
    names: tuple[str, ...]
    """Branches that were deleted; none where none was there."""
    wanted: str

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person."""
        if not self.names:
            return f"Project {self.project} has no preview {self.wanted}: nothing to delete."
        return f"Deleted {', '.join(self.names)} of project {self.project}."
