"""Bring back what was deleted less than a week ago."""

from __future__ import annotations

from typing import Any

from neondba.local.api import views
from neondba.local.api.branches import ONE, free_name
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.control import changes
from neondba.local.state.tables import BranchRow, EndpointRow, ProjectRow


@answers(
    "POST",
    "/projects/{project_id}/recover",
    "recoverProject",
    says="Brings a deleted project back within 7 days, with branches, endpoints and connection strings.",
)
def recover_project(call: Call) -> dict[str, Any]:
    """Bring a deleted project back."""
    call.plane.worker.wait(call.plane.lock_wait, project_id=call.path["project_id"])
    with call.plane.state.change() as rows:
        project = rows.get(ProjectRow, call.path["project_id"])
        if project is None or (project.deleting and project.deleted_at is None):
            raise Refusal(404, "project not found")
        if not project.deleting:
            raise Refusal(422, "project is not deleted")
        changes.recover_project(rows, project, call.now)
        branches = rows.all(BranchRow, project_id=project.id, deleting=False)
    return {
        "project": views.project(call.plane, project),
        "branches": [views.branch(row, call.plane) for row in branches],
    }


@answers(
    "POST",
    ONE + "/recover",
    "recoverProjectBranch",
    says="Brings a deleted branch back within 7 days, with its endpoints; it no longer expires.",
)
def recover_branch(call: Call) -> dict[str, Any]:
    """Bring a deleted branch back."""
    with call.locked() as rows:
        branch = rows.get(BranchRow, call.path["branch_id"])
        known = branch is not None and branch.project_id == call.path["project_id"]
        if branch is None or not known or (branch.deleting and branch.deleted_at is None):
            raise Refusal(404, "branch not found")
        if not branch.deleting:
            raise Refusal(422, "branch is not deleted")
        parent = rows.get(BranchRow, branch.parent_id) if branch.parent_id else None
        if parent is not None and parent.deleting:
            raise Refusal(422, f"parent branch {parent.id} is deleted, recover it first")
        if parent is not None and parent.expires_at:
            raise Refusal(422, "a branch that expires cannot have children")
        free_name(rows, branch.project_id, branch.name)
        changes.recover_branch(rows, branch, call.now)
        endpoints = rows.all(EndpointRow, branch_id=branch.id)
    return {
        "branch": views.branch(branch, call.plane),
        "endpoints": [views.endpoint(call.plane, row) for row in endpoints],
    }
