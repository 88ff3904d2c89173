"""What the project and branch operations answer with. Host names, never passwords."""

from __future__ import annotations

from datetime import datetime
from shlex import quote
from typing import Self

from pydantic import BaseModel

from neondba.branches.mask_results import Coverage
from neondba.neon.models import Branch, CreatedBranch, CreatedProject, Project


class ProjectLine(BaseModel):
    """One project in a list."""

    name: str
    id: str
    region: str
    postgres: int
    created_at: datetime

    @classmethod
    def of(cls, project: Project) -> Self:
        """Take it from the API's answer."""
        return cls(
            name=project.name,
            id=project.id,
            region=project.region_id,
            postgres=project.pg_version,
            created_at=project.created_at,
        )


class ProjectList(BaseModel):
    """Every project the key may see."""

    projects: tuple[ProjectLine, ...]
    next: tuple[str, ...] = ()


class ProjectCreated(BaseModel):
    """A new project, ready for connections."""

    name: str
    id: str
    region: str
    postgres: int
    branch: str
    database: str
    role: str
    host: str
    next: tuple[str, ...] = ()

    @classmethod
    def of(cls, made: CreatedProject) -> Self:
        """Take it from the API's answer."""
        project, database = made.project, made.databases[0] if made.databases else None
        return cls(
            name=project.name,
            id=project.id,
            region=project.region_id,
            postgres=project.pg_version,
            branch=made.branch.name,
            database=database.name if database else "",
            role=database.owner_name if database else "",
            host=made.endpoints[0].host if made.endpoints else "",
            next=(
                f"neondba branch create dev --project {quote(project.name)}",
                f"neondba review . --prove --project {quote(project.name)}",
            ),
        )


class FileChanged(BaseModel):
    """A file of variables that was written; never with their values."""

    path: str
    names: tuple[str, ...]


class BranchCreated(BaseModel):
    """A new branch, ready for connections if it has a compute."""

    project: str
    name: str
    id: str
    parent: str
    host: str | None
    expires_at: datetime | None
    files: tuple[FileChanged, ...] = ()
    """Files of variables that lead to it now."""
    note: str | None = None
    coverage: Coverage | None = None
    """What became of each column, where the rows were masked."""
    next: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        made: CreatedBranch,
        project: str,
        parent: str,
        files: tuple[FileChanged, ...] = (),
        note: str | None = None,
        coverage: Coverage | None = None,
    ) -> Self:
        """Take it from the API's answer."""
        branch, where = made.branch, f"--project {quote(project)}"
        point = (
            () if files or not made.endpoints else (f"neondba branch checkout {quote(branch.name)} {where}",)
        )
        return cls(
            project=project,
            name=branch.name,
            id=branch.id,
            parent=parent,
            host=made.endpoints[0].host if made.endpoints else None,
            expires_at=branch.expires_at,
            files=files,
            note=note,
            coverage=coverage,
            next=(*([] if files else point), f"neondba branch delete {quote(branch.name)} {where}"),
        )

    def as_text(self, width: int) -> str:
        """Say what there is now and where it is reached."""
        lines = [f"Branch {self.name} of {self.parent} is there in project {self.project} ({self.id})."]
        lines += [f"Neon deletes it at {self.expires_at:%Y-%m-%d %H:%M} UTC."] if self.expires_at else []
        lines += [] if self.host else ["It has no compute, so it takes no connections."]
        lines += [f"{each.path}: {', '.join(each.names)} lead to it now." for each in self.files]
        lines += [self.note] if self.note else []
        lines += ["", self.coverage.as_text(width)] if self.coverage else []
        return "\n".join([*lines, "", "Next:", *(f"  {each}" for each in self.next)])


class BranchChanged(BaseModel):
    """What became of a branch."""

    project: str
    name: str
    id: str
    done: str
    """One sentence."""
    default: bool
    protected: bool
    expires_at: datetime | None
    next: tuple[str, ...] = ()

    @classmethod
    def of(cls, project: Project, branch: Branch, name: str, done: str, *following: str) -> Self:
        """Take it from the API's answer."""
        return cls(
            project=project.name,
            name=name,
            id=branch.id,
            done=done,
            default=branch.default,
            protected=branch.protected,
            expires_at=branch.expires_at,
            next=following,
        )

    def as_text(self, width: int) -> str:  # noqa: ARG002 - one sentence
        """Say what was done."""
        return "\n".join([self.done, *(f"Back: {each}" for each in self.next)])


class BranchRestored(BaseModel):
    """A branch with other data in its place."""

    project: str
    name: str
    id: str
    holds: str
    """Whose data it has now, and of when."""
    kept_as: str | None
    """Branch with what was there before; `None` when that is lost."""
    next: tuple[str, ...] = ()

    @classmethod
    def of(cls, project: Project, branch: Branch, holds: str, kept_as: str | None) -> Self:
        """Take it from the API's answer."""
        where = f"--project {quote(project.name)}"
        back = f"neondba branch restore {quote(branch.name)} --source {quote(kept_as or '')} {where}"
        return cls(
            project=project.name,
            name=branch.name,
            id=branch.id,
            holds=holds,
            kept_as=kept_as,
            next=(back,) if kept_as else (),
        )


class CheckedOut(BaseModel):
    """Where a project's environment leads now."""

    project: str
    branch: str
    id: str
    role: str
    other_roles: dict[str, str] = {}
    """Names of addresses that log in as another role, and that role."""
    database: str
    files: tuple[FileChanged, ...]
    care: str | None = None
    """What to know before anything is run from here."""
    git_hook: str | None = None
    """Where the hook lies that follows the git branch, if it was asked for."""
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:  # noqa: ARG002 - two short lines
        """Say it as a git checkout does."""
        lines = [f"{file.path}: {', '.join(file.names)} lead to {self.branch}" for file in self.files]
        others = "".join(f" ({name}: {role})" for name, role in self.other_roles.items())
        lines.append(f"Project {self.project}, role {self.role}{others}, database {self.database}.")
        lines += [self.care] if self.care else []
        if self.git_hook:
            lines.append(f"From now on git checkout switches it too: {self.git_hook}")
        return "\n".join(lines + [f"Next: {each}" for each in self.next])


class Followed(BaseModel):
    """What became of the environment after a git branch was checked out."""

    git_branch: str | None
    branch: str | None
    """The branch that the environment was pointed at; `None` when it stays where it was."""
    done: str
    """One sentence."""

    def as_text(self, width: int) -> str:  # noqa: ARG002 - one sentence
        """Say it in a line: git's own output stands around it."""
        return f"neondba: {self.done}"


class Hooked(BaseModel):
    """Whether the database follows the git branch."""

    installed: bool
    path: str
    done: str
    next: tuple[str, ...] = ()


class Deleted(BaseModel):
    """What is gone."""

    kind: str
    name: str
    id: str
    project: str | None = None
    next: tuple[str, ...] = ()
