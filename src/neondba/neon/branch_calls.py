"""Calls about branches."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any, Final

from neondba.core.problem import NotFoundProblem
from neondba.neon.answers import found, many, one
from neondba.neon.caller import Caller, exactly, path_of, rfc3339
from neondba.neon.models import Branch, CreatedBranch, Operation, Project


class Unchanged(Enum):
    """Stands for a value that a call leaves as it is, where `None` means none."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


class BranchCalls(Caller):
    """List, create, change, restore and delete branches."""

    def branches(self, project_id: str) -> list[Branch]:
        """Give every branch of a project."""
        path = path_of(project_id, "branches")
        return self._pages(Branch, path, "branches", f"project {project_id}", {})

    def branch(self, project_id: str, branch_id: str) -> Branch:
        """Give one branch by its id."""
        answer = self._transport.call(
            "GET", path_of(project_id, "branches", branch_id), f"branch {branch_id}"
        )
        return one(Branch, answer, "branch")

    def find_branch(self, project: Project, name_or_id: str) -> Branch:
        """Give the branch of this id or name.

        Raises:
            NotFoundProblem: the project has none.
        """
        return found("branch", name_or_id, self.branches(project.id), project.name)

    def default_branch(self, project: Project) -> Branch:
        """Give the branch that others are made from when no parent is named."""
        for branch in self.branches(project.id):
            if branch.default:
                return branch
        raise NotFoundProblem("branch-not-found", f"Project {project.name} has no default branch.")

    def create_branch(
        self,
        project_id: str,
        name: str,
        *,
        parent_id: str | None = None,
        parent_lsn: str | None = None,
        parent_timestamp: datetime | None = None,
        expires_at: datetime | None = None,
        schema_only: bool = False,
        protected: bool = False,
        compute: bool = True,
    ) -> CreatedBranch:
        """Create a branch, with a compute unless told otherwise."""
        wanted = {
            "name": name,
            "parent_id": parent_id,
            "parent_lsn": parent_lsn,
            "parent_timestamp": exactly(parent_timestamp),
            "expires_at": rfc3339(expires_at),
            "init_source": "schema-only" if schema_only else None,
            "protected": protected or None,
        }
        body = {
            "branch": {k: v for k, v in wanted.items() if v is not None},
            "endpoints": [{"type": "read_write"}] if compute else [],
        }
        path = path_of(project_id, "branches")
        answer = self._transport.call("POST", path, f"branch {name}", body=body)
        return self._settled(one(CreatedBranch, answer))

    def update_branch(
        self,
        project_id: str,
        branch_id: str,
        *,
        name: str | None = None,
        expires_at: datetime | Unchanged | None = UNCHANGED,
        protected: bool | None = None,
    ) -> None:
        """Rename a branch, protect it, or set when it expires: never, with `None`."""
        wanted: dict[str, Any] = {}
        if name is not None:
            wanted["name"] = name
        if not isinstance(expires_at, Unchanged):
            wanted["expires_at"] = rfc3339(expires_at)
        if protected is not None:
            wanted["protected"] = protected
        path = path_of(project_id, "branches", branch_id)
        self._changed("PATCH", path, f"branch {name or branch_id}", project_id, {"branch": wanted})

    def set_default_branch(self, project_id: str, branch_id: str) -> None:
        """Make a branch the one that others are made from."""
        path = path_of(project_id, "branches", branch_id, "set_as_default")
        self._changed("POST", path, f"branch {branch_id}", project_id)

    def restore_branch(
        self,
        project_id: str,
        branch_id: str,
        *,
        source_id: str,
        lsn: str | None = None,
        timestamp: datetime | None = None,
        preserve_under_name: str | None = None,
    ) -> Branch:
        """Put another branch's data, or the branch's own past, in its place.

        From the parent and without a point it is a reset. Id, name and host stay; what was there is
        lost unless it gets a name. Give no source whose past is not meant: Neon takes the present.
        """
        wanted = {
            "source_branch_id": source_id,
            "source_lsn": lsn,
            "source_timestamp": exactly(timestamp),
            "preserve_under_name": preserve_under_name,
        }
        body = {name: value for name, value in wanted.items() if value is not None}
        path = path_of(project_id, "branches", branch_id, "restore")
        return one(Branch, self._changed("POST", path, f"branch {branch_id}", project_id, body), "branch")

    def delete_branch(self, project_id: str, branch_id: str, *, hard: bool = False) -> None:
        """Delete a branch, with `hard` beyond recovery; one that is gone already is no fault."""
        path, params = path_of(project_id, "branches", branch_id), {"hard_delete": "true"} if hard else None
        answer = self._transport.call("DELETE", path, f"branch {branch_id}", params=params)
        self.wait(project_id, many(Operation, answer, "operations"))
