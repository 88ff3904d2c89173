"""What each operation does. Every action may be repeated: after a crash it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from neondba.core.problem import NotFoundProblem
from neondba.local.computes.manager import Computes
from neondba.local.control import roles
from neondba.local.control.worker import stamp
from neondba.local.state.store import Rows, State
from neondba.local.state.tables import (
    BranchRow,
    DatabaseRow,
    EndpointRow,
    OperationRow,
    ProjectRow,
    RoleRow,
)
from neondba.local.storage import backup, template
from neondba.local.storage.cloner import Cloner
from neondba.local.storage.directories import Directories


class Actions:
    """The hands of the worker."""

    def __init__(
        self,
        state: State,
        branches: Directories,
        templates: Directories,
        computes: Computes,
        cloner: Cloner,
        now: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._branches = branches
        self._templates = templates
        self._computes = computes
        self._cloner = cloner
        self._now = now
        self._known: dict[str, Callable[[OperationRow, dict[str, Any]], None]] = {
            "create_timeline": self._create_root,
            "create_branch": self._create_child,
            "start_compute": self._start,
            "suspend_compute": self._suspend,
            "apply_config": self._apply,
            "delete_timeline": self._delete,
        }

    def perform(self, operation: OperationRow) -> None:
        """Carry out an operation, whole."""
        self._known[operation.action](operation, json.loads(operation.arguments))

    def undo(self, rows: Rows, operation: OperationRow) -> None:
        """Take back what a failed operation had promised."""
        arguments = json.loads(operation.arguments)
        if operation.action == "create_timeline":
            self._forget_project(rows, operation.project_id)
        elif operation.action == "create_branch":
            forget_branch(rows, operation.branch_id)
        elif operation.action == "apply_config":
            for name in arguments.get("new_roles", []):
                rows.delete(*rows.all(RoleRow, branch_id=operation.branch_id, name=name))
            for name in arguments.get("databases", []):
                rows.delete(*rows.all(DatabaseRow, branch_id=operation.branch_id, name=name))

    def _create_root(self, operation: OperationRow, _arguments: dict[str, Any]) -> None:
        branch = self._branch(operation)
        if not self._branches.exists(branch.id):
            source = template.ensure(self._computes.binaries, self._templates)
            with self._branches.making(branch.id) as data:
                backup.clone_stopped(self._cloner, source, data, self._branches.owner)
        self._ready(branch.id, None)

    def _create_child(self, operation: OperationRow, _arguments: dict[str, Any]) -> None:
        branch = self._branch(operation)
        position = branch.parent_lsn
        if not self._branches.exists(branch.id):
            assert branch.parent_id is not None
            with self._computes.held(branch.parent_id) as parent:
                self._branches.check(branch.parent_id)
                with self._branches.making(branch.id) as data:
                    if parent is not None:
                        position = backup.clone_running(self._cloner, parent, data, self._branches.owner)
                    else:
                        source = self._branches.data(branch.parent_id)
                        backup.clone_stopped(self._cloner, source, data, self._branches.owner)
        self._ready(branch.id, position)

    def _ready(self, branch_id: str, position: str | None) -> None:
        now = stamp(self._now())
        with self._state.change() as rows:
            branch = rows.get(BranchRow, branch_id)
            if branch is not None:
                branch.state, branch.state_changed_at, branch.updated_at = "ready", now, now
                branch.cloned_by = self._cloner.name
                branch.parent_lsn = position or branch.parent_lsn

    def _start(self, operation: OperationRow, arguments: dict[str, Any]) -> None:
        branch = self._branch(operation)
        self._computes.start(branch.id)
        self._apply(operation, arguments)
        now = stamp(self._now())
        with self._state.change() as rows:
            for endpoint in rows.all(EndpointRow, branch_id=branch.id):
                endpoint.started_at = endpoint.last_active = endpoint.updated_at = now
                endpoint.suspended_at = None

    def _suspend(self, operation: OperationRow, _arguments: dict[str, Any]) -> None:
        assert operation.branch_id is not None
        self._computes.stop(operation.branch_id)
        now = stamp(self._now())
        with self._state.change() as rows:
            for endpoint in rows.all(EndpointRow, branch_id=operation.branch_id):
                endpoint.suspended_at = endpoint.updated_at = now

    def _apply(self, operation: OperationRow, arguments: dict[str, Any]) -> None:
        branch = self._branch(operation)
        if not arguments:
            return
        with self._state.read() as rows:
            passwords = {role.name: role for role in rows.all(RoleRow, branch_id=branch.id)}
            owners = {base.name: base.owner_name for base in rows.all(DatabaseRow, branch_id=branch.id)}
        roles.apply(self._computes.start(branch.id), arguments, passwords, owners)
        with self._state.change() as rows:
            for name in arguments.get("drop_roles", []):
                rows.delete(*rows.all(RoleRow, branch_id=branch.id, name=name))
            for name in arguments.get("drop_databases", []):
                rows.delete(*rows.all(DatabaseRow, branch_id=branch.id, name=name))

    def _delete(self, operation: OperationRow, _arguments: dict[str, Any]) -> None:
        """Delete one branch, or the whole project when the operation names no branch."""
        with self._state.read() as rows:
            found = [operation.branch_id] if operation.branch_id else []
            if not found:
                found = [branch.id for branch in rows.all(BranchRow, project_id=operation.project_id)]
        for name in found:
            self._computes.stop(name, at_once=True)
            self._branches.replace(name)
        with self._state.change() as rows:
            if operation.branch_id:
                forget_branch(rows, operation.branch_id)
            else:
                self._forget_project(rows, operation.project_id)

    def _forget_project(self, rows: Rows, project_id: str) -> None:
        for branch in rows.all(BranchRow, project_id=project_id):
            forget_branch(rows, branch.id)
        rows.delete(*rows.all(ProjectRow, id=project_id))

    def _branch(self, operation: OperationRow) -> BranchRow:
        with self._state.read() as rows:
            branch = rows.get(BranchRow, operation.branch_id)
        if branch is None:
            raise NotFoundProblem("branch-not-found", f"Branch {operation.branch_id} is gone.")
        return branch


def forget_branch(rows: Rows, branch_id: str | None) -> None:
    """Delete a branch's rows."""
    for kind in (RoleRow, DatabaseRow, EndpointRow):
        rows.delete(*rows.all(kind, branch_id=branch_id))
    rows.delete(*rows.all(BranchRow, id=branch_id))
