"""Calls about what a branch is reached by: computes, roles, databases, connection strings."""

from __future__ import annotations

from typing import Any

from neondba.core.secret import Secret
from neondba.neon.answers import many, one, secret
from neondba.neon.caller import Caller, path_of
from neondba.neon.models import Database, Endpoint, Role


class RoleCalls(Caller):
    """List computes, and make and delete roles and databases."""

    def endpoints(self, project_id: str, branch_id: str | None = None) -> list[Endpoint]:
        """Give the computes of a branch, or of the whole project."""
        where = ("branches", branch_id, "endpoints") if branch_id else ("endpoints",)
        answer = self._transport.call("GET", path_of(project_id, *where), f"project {project_id}")
        return many(Endpoint, answer, "endpoints")

    def create_endpoint(self, project_id: str, branch_id: str) -> Endpoint:
        """Give a branch its read-write compute."""
        body = {"endpoint": {"branch_id": branch_id, "type": "read_write"}}
        path, thing = path_of(project_id, "endpoints"), f"branch {branch_id}"
        return one(Endpoint, self._changed("POST", path, thing, project_id, body), "endpoint")

    def roles(self, project_id: str, branch_id: str) -> list[Role]:
        """Give the roles of a branch; no passwords."""
        path = path_of(project_id, "branches", branch_id, "roles")
        return many(Role, self._transport.call("GET", path, f"branch {branch_id}"), "roles")

    def create_role(self, project_id: str, branch_id: str, name: str, *, no_login: bool = False) -> Role:
        """Create a role; the answer carries its password.

        A role made through the API gets Neon's `neon_superuser` rights, BYPASSRLS among them.
        """
        body: dict[str, Any] = {"role": {"name": name, **({"no_login": True} if no_login else {})}}
        path = path_of(project_id, "branches", branch_id, "roles")
        return one(Role, self._changed("POST", path, f"role {name}", project_id, body), "role")

    def delete_role(self, project_id: str, branch_id: str, name: str) -> None:
        """Delete a role; one that is gone already is no fault."""
        path = path_of(project_id, "branches", branch_id, "roles", name)
        self._changed("DELETE", path, f"role {name}", project_id)

    def reveal_password(self, project_id: str, branch_id: str, role: str) -> Secret:
        """Give a role's password, where the project stores them."""
        path = path_of(project_id, "branches", branch_id, "roles", role, "reveal_password")
        return secret(self._transport.call("GET", path, f"role {role}"), "password")

    def reset_password(self, project_id: str, branch_id: str, role: str) -> Secret:
        """Give a role a new password; its open connections are dropped."""
        path = path_of(project_id, "branches", branch_id, "roles", role, "reset_password")
        answer = self._changed("POST", path, f"role {role}", project_id)
        return secret(answer.get("role", {}), "password")

    def databases(self, project_id: str, branch_id: str) -> list[Database]:
        """Give the databases of a branch."""
        path = path_of(project_id, "branches", branch_id, "databases")
        return many(Database, self._transport.call("GET", path, f"branch {branch_id}"), "databases")

    def create_database(self, project_id: str, branch_id: str, name: str, owner: str) -> Database:
        """Create a database that a role owns."""
        path = path_of(project_id, "branches", branch_id, "databases")
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
        path = path_of(project_id, "connection_uri")
        answer = self._transport.call("GET", path, f"role {role} on branch {branch_id}", params=params)
        return secret(answer, "uri")
