"""The Neon API v2, typed: the same calls for the cloud and the local Neon.

A method that changes something returns when Neon has carried the change out.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

from neondba.core.context import Clock
from neondba.core.problem import ArgumentProblem, NotFoundProblem, RemoteProblem
from neondba.core.secret import Secret
from neondba.neon.answers import failed, found, many, one, secret, slow
from neondba.neon.models import (
    Branch,
    CreatedBranch,
    CreatedProject,
    Database,
    Endpoint,
    NeonModel,
    Operation,
    Organization,
    Project,
    Role,
)
from neondba.neon.transport import Transport

M = TypeVar("M", bound=NeonModel)

PAGE: Final = 400
FIRST_LOOK: Final = 0.05
SLOWEST_LOOK: Final = 1.0
SLOWEST_LOCAL_LOOK: Final = 0.15


class NeonClient:
    """Call the Neon API at one base address with one key."""

    def __init__(
        self,
        base_url: str,
        api_key: Secret,
        *,
        clock: Clock | None = None,
        chance: random.Random | None = None,
        patience: float = 60.0,
        operation_limit: float = 300.0,
    ) -> None:
        """Prepare; nothing is sent yet.

        `patience` bounds the seconds spent on retries of one call, `operation_limit` those spent on
        waiting for Neon's operations.
        """
        self._clock = clock or Clock()
        self._limit = operation_limit
        self._transport = Transport(
            base_url,
            api_key,
            clock=self._clock,
            chance=chance or random.SystemRandom(),
            patience=patience,
        )

    @property
    def is_local(self) -> bool:
        """True when the API is on this machine."""
        return self._transport.is_local

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connections."""
        self._transport.close()

    def projects(self) -> list[Project]:
        """Give every project the key may see, in all of its organizations."""
        try:
            return self._pages(Project, "projects", "projects", "your projects", {})
        except RemoteProblem as problem:
            if "org_id is required" not in problem.facts.get("neon_message", ""):
                raise
        return [
            project
            for org in self.organizations()
            for project in self._pages(
                Project, "projects", "projects", f"organization {org.name}", {"org_id": org.id}
            )
        ]

    def organizations(self) -> list[Organization]:
        """Give the organizations the key's owner belongs to."""
        answer = self._transport.call("GET", "users/me/organizations", "your organizations")
        return many(Organization, answer, "organizations")

    def project(self, project_id: str) -> Project:
        """Give one project by its id."""
        answer = self._transport.call("GET", _path(project_id), f"project {project_id}")
        return one(Project, answer, "project")

    def find_project(self, name_or_id: str) -> Project:
        """Give the project of this id, or else the only one of this name.

        Raises:
            NotFoundProblem: there is none.
            ArgumentProblem: several are called so.
        """
        return found("project", name_or_id, self.projects(), None)

    def create_project(
        self,
        name: str,
        *,
        branch: str | None = None,
        database: str | None = None,
        pg_version: int | None = None,
    ) -> CreatedProject:
        """Create a project with its default branch, a database and the role that owns it."""
        first = {k: v for k, v in {"name": branch, "database_name": database}.items() if v}
        wanted: dict[str, Any] = {"name": name, "branch": first}
        if pg_version:
            wanted["pg_version"] = pg_version
        try:
            answer = self._transport.call("POST", "projects", f"project {name}", body={"project": wanted})
        except RemoteProblem as problem:
            if "org_id is required" not in problem.facts.get("neon_message", ""):
                raise
            wanted["org_id"] = self._only_organization().id
            answer = self._transport.call("POST", "projects", f"project {name}", body={"project": wanted})
        return self._settled(one(CreatedProject, answer))

    def delete_project(self, project_id: str, *, hard: bool = False) -> None:
        """Delete a project with all its branches; `hard`, on a local Neon, leaves nothing to recover."""
        params = {"hard_delete": "true"} if hard else None
        self._transport.call("DELETE", _path(project_id), f"project {project_id}", params=params)

    def branches(self, project_id: str) -> list[Branch]:
        """Give every branch of a project."""
        path = _path(project_id, "branches")
        return self._pages(Branch, path, "branches", f"project {project_id}", {})

    def branch(self, project_id: str, branch_id: str) -> Branch:
        """Give one branch by its id."""
        answer = self._transport.call("GET", _path(project_id, "branches", branch_id), f"branch {branch_id}")
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
        compute: bool = True,
    ) -> CreatedBranch:
        """Create a branch, with a compute unless told otherwise."""
        wanted = {
            "name": name,
            "parent_id": parent_id,
            "parent_lsn": parent_lsn,
            "parent_timestamp": _rfc3339(parent_timestamp),
            "expires_at": _rfc3339(expires_at),
            "init_source": "schema-only" if schema_only else None,
        }
        body = {
            "branch": {k: v for k, v in wanted.items() if v is not None},
            "endpoints": [{"type": "read_write"}] if compute else [],
        }
        path = _path(project_id, "branches")
        answer = self._transport.call("POST", path, f"branch {name}", body=body)
        return self._settled(one(CreatedBranch, answer))

    def update_branch(
        self, project_id: str, branch_id: str, *, name: str | None = None, expires_at: datetime | None
    ) -> None:
        """Rename a branch, and set when it expires: never, with `None`."""
        wanted = {"expires_at": _rfc3339(expires_at), **({"name": name} if name else {})}
        path = _path(project_id, "branches", branch_id)
        self._changed("PATCH", path, f"branch {name or branch_id}", project_id, {"branch": wanted})

    def delete_branch(self, project_id: str, branch_id: str, *, hard: bool = False) -> None:
        """Delete a branch, with `hard` beyond recovery; one that is gone already is no fault."""
        path, params = _path(project_id, "branches", branch_id), {"hard_delete": "true"} if hard else None
        answer = self._transport.call("DELETE", path, f"branch {branch_id}", params=params)
        self.wait(project_id, many(Operation, answer, "operations"))

    def endpoints(self, project_id: str, branch_id: str | None = None) -> list[Endpoint]:
        """Give the computes of a branch, or of the whole project."""
        where = ("branches", branch_id, "endpoints") if branch_id else ("endpoints",)
        answer = self._transport.call("GET", _path(project_id, *where), f"project {project_id}")
        return many(Endpoint, answer, "endpoints")

    def roles(self, project_id: str, branch_id: str) -> list[Role]:
        """Give the roles of a branch; no passwords."""
        path = _path(project_id, "branches", branch_id, "roles")
        return many(Role, self._transport.call("GET", path, f"branch {branch_id}"), "roles")

    def create_role(self, project_id: str, branch_id: str, name: str, *, no_login: bool = False) -> Role:
        """Create a role; the answer carries its password.

        A role made through the API gets Neon's `neon_superuser` rights, BYPASSRLS among them.
        """
        body: dict[str, Any] = {"role": {"name": name, **({"no_login": True} if no_login else {})}}
        path = _path(project_id, "branches", branch_id, "roles")
        return one(Role, self._changed("POST", path, f"role {name}", project_id, body), "role")

    def delete_role(self, project_id: str, branch_id: str, name: str) -> None:
        """Delete a role; one that is gone already is no fault."""
        path = _path(project_id, "branches", branch_id, "roles", name)
        self._changed("DELETE", path, f"role {name}", project_id)

    def reveal_password(self, project_id: str, branch_id: str, role: str) -> Secret:
        """Give a role's password, where the project stores them."""
        path = _path(project_id, "branches", branch_id, "roles", role, "reveal_password")
        return secret(self._transport.call("GET", path, f"role {role}"), "password")

    def reset_password(self, project_id: str, branch_id: str, role: str) -> Secret:
        """Give a role a new password; its open connections are dropped."""
        path = _path(project_id, "branches", branch_id, "roles", role, "reset_password")
        answer = self._changed("POST", path, f"role {role}", project_id)
        return secret(answer.get("role", {}), "password")

    def databases(self, project_id: str, branch_id: str) -> list[Database]:
        """Give the databases of a branch."""
        path = _path(project_id, "branches", branch_id, "databases")
        return many(Database, self._transport.call("GET", path, f"branch {branch_id}"), "databases")

    def create_database(self, project_id: str, branch_id: str, name: str, owner: str) -> Database:
        """Create a database that a role owns."""
        path = _path(project_id, "branches", branch_id, "databases")
        body = {"database": {"name": name, "owner_name": owner}}
        return one(Database, self._changed("POST", path, f"database {name}", project_id, body), "database")

    def connection_uri(
        self, project_id: str, branch_id: str, database: str, role: str, *, pooled: bool = False
    ) -> Secret:
        """Give the connection string of a role, with its password."""
        params = {
            "branch_id": branch_id,
            "database_name": database,
            "role_name": role,
            "pooled": "true" if pooled else "false",
        }
        path = _path(project_id, "connection_uri")
        answer = self._transport.call("GET", path, f"role {role} on branch {branch_id}", params=params)
        return secret(answer, "uri")

    def operation(self, project_id: str, operation_id: str) -> Operation:
        """Give one operation by its id."""
        path = _path(project_id, "operations", operation_id)
        return one(Operation, self._transport.call("GET", path, f"operation {operation_id}"), "operation")

    def wait(self, project_id: str, operations: Iterable[Operation]) -> None:
        """Return when all operations have ended well.

        Raises:
            RemoteProblem: one failed, or they take longer than the limit.
        """
        deadline = self._clock.monotonic() + self._limit
        pause, slowest = FIRST_LOOK, SLOWEST_LOCAL_LOOK if self.is_local else SLOWEST_LOOK
        for number, operation in enumerate(operations):
            # Operations run one after the other: those behind the first may be done by now.
            current = self.operation(project_id, operation.id) if number and not operation.done else operation
            while not current.done:
                if current.broken:
                    raise failed(current)
                if self._clock.monotonic() > deadline:
                    raise slow(current, self._limit)
                self._clock.sleep(pause)
                pause = min(pause * 1.5, slowest)
                current = self.operation(project_id, current.id)

    def _only_organization(self) -> Organization:
        there = self.organizations()
        if len(there) == 1:
            return there[0]
        raise ArgumentProblem(
            "organization-needed",
            f"This key belongs to {len(there)} organizations: {', '.join(o.name for o in there) or 'none'}.",
            hint="Use an API key of the organization that the project is for.",
        )

    def _settled(self, created: Created) -> Created:
        if created.operations:
            self.wait(created.operations[0].project_id, created.operations)
        return created

    def _changed(
        self, method: str, path: str, thing: str, project_id: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        answer = self._transport.call(method, path, thing, body=body)
        self.wait(project_id, many(Operation, answer, "operations"))
        return answer

    def _pages(self, kind: type[M], path: str, key: str, thing: str, params: Mapping[str, Any]) -> list[M]:
        rows: list[M] = []
        cursor: str | None = None
        while True:
            answer = self._transport.call(
                "GET", path, thing, params={**params, "limit": PAGE, "cursor": cursor}
            )
            page = many(kind, answer, key)
            rows += page
            about = answer.get("pagination") or {}
            following = about.get("next") or about.get("cursor")
            # Neon gives a cursor with the last page of projects too; only an empty page ends them.
            if not page or not following or following == cursor:
                return rows
            cursor = following


Created = TypeVar("Created", CreatedProject, CreatedBranch)


def _path(project_id: str, *rest: str) -> str:
    return "/".join(["projects", *(quote(part, safe="") for part in (project_id, *rest))])


def _rfc3339(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
