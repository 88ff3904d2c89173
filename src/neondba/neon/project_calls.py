"""Calls about projects and organizations."""

from __future__ import annotations

from typing import Any

from neondba.core.problem import ArgumentProblem, RemoteProblem
from neondba.neon.answers import found, many, one
from neondba.neon.caller import Caller, path_of
from neondba.neon.models import AllowedIps, CreatedProject, Organization, Project


class ProjectCalls(Caller):
    """List, create and delete projects."""

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
        answer = self._transport.call("GET", path_of(project_id), f"project {project_id}")
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
        region: str | None = None,
    ) -> CreatedProject:
        """Create a project with its default branch, a database and the role that owns it."""
        first = {k: v for k, v in {"name": branch, "database_name": database}.items() if v}
        wanted: dict[str, Any] = {"name": name, "branch": first}
        if pg_version:
            wanted["pg_version"] = pg_version
        if region:
            wanted["region_id"] = region
        try:
            answer = self._transport.call("POST", "projects", f"project {name}", body={"project": wanted})
        except RemoteProblem as problem:
            if "org_id is required" not in problem.facts.get("neon_message", ""):
                raise
            wanted["org_id"] = self._only_organization().id
            answer = self._transport.call("POST", "projects", f"project {name}", body={"project": wanted})
        return self._settled(one(CreatedProject, answer))

    def allow(self, project_id: str, allowed: AllowedIps) -> Project:
        """Say from which addresses a project's branches may be reached; other settings stay."""
        body = {"project": {"settings": {"allowed_ips": allowed.model_dump(mode="json")}}}
        answer = self._changed("PATCH", path_of(project_id), f"project {project_id}", project_id, body)
        return one(Project, answer, "project")

    def delete_project(self, project_id: str, *, hard: bool = False) -> None:
        """Delete a project with all its branches; `hard`, on a local Neon, leaves nothing to recover."""
        params = {"hard_delete": "true"} if hard else None
        self._transport.call("DELETE", path_of(project_id), f"project {project_id}", params=params)

    def _only_organization(self) -> Organization:
        there = self.organizations()
        if len(there) == 1:
            return there[0]
        raise ArgumentProblem(
            "organization-needed",
            f"This key belongs to {len(there)} organizations: {', '.join(o.name for o in there) or 'none'}.",
            hint="Use an API key of the organization that the project is for.",
        )
