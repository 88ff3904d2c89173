"""Calls about snapshots, their schedules, and what branches have used."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from neondba.neon.answers import found, many, one
from neondba.neon.branch_calls import UNCHANGED, Unchanged
from neondba.neon.caller import Caller, exactly, path_of, rfc3339
from neondba.neon.models import BranchUsage, Project, RestoredSnapshot, ScheduleItem, Snapshot

METRICS: Final = (
    "compute_unit_seconds",
    "root_branch_bytes_month",
    "child_branch_bytes_month",
)
"""What is billed by branch; history, transfer and the number of branches are the project's."""


class SnapshotCalls(Caller):
    """Take, list, restore and delete snapshots; read consumption."""

    def snapshots(self, project_id: str) -> list[Snapshot]:
        """Give a project's snapshots, the newest first."""
        answer = self._transport.call("GET", path_of(project_id, "snapshots"), f"project {project_id}")
        return many(Snapshot, answer, "snapshots")

    def find_snapshot(self, project: Project, name_or_id: str) -> Snapshot:
        """Give the snapshot of this id, or else the only one of this name.

        Raises:
            NotFoundProblem: there is none.
            ArgumentProblem: several are called so.
        """
        return found("snapshot", name_or_id, self.snapshots(project.id), project.name)

    def create_snapshot(
        self,
        project_id: str,
        branch_id: str,
        *,
        name: str | None = None,
        lsn: str | None = None,
        timestamp: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> Snapshot:
        """Take a snapshot of a root branch, now or at a point of its history."""
        params = {
            "name": name,
            "lsn": lsn,
            "timestamp": exactly(timestamp),
            "expires_at": rfc3339(expires_at),
        }
        path = path_of(project_id, "branches", branch_id, "snapshot")
        thing = f"snapshot {name}" if name else f"branch {branch_id}"
        answer = self._changed("POST", path, thing, project_id, params=params)
        return one(Snapshot, answer, "snapshot")

    def update_snapshot(
        self,
        project_id: str,
        snapshot_id: str,
        *,
        name: str | None = None,
        expires_at: datetime | Unchanged | None = UNCHANGED,
    ) -> Snapshot:
        """Rename a snapshot, or set when it expires: never, with `None`."""
        wanted: dict[str, Any] = {"name": name} if name is not None else {}
        if not isinstance(expires_at, Unchanged):
            wanted["expires_at"] = rfc3339(expires_at)
        path = path_of(project_id, "snapshots", snapshot_id)
        answer = self._changed("PATCH", path, f"snapshot {snapshot_id}", project_id, {"snapshot": wanted})
        return one(Snapshot, answer, "snapshot")

    def delete_snapshot(self, project_id: str, snapshot_id: str) -> None:
        """Delete a snapshot."""
        path = path_of(project_id, "snapshots", snapshot_id)
        self._changed("DELETE", path, f"snapshot {snapshot_id}", project_id)

    def restore_snapshot(
        self,
        project_id: str,
        snapshot_id: str,
        *,
        target_id: str,
        name: str | None = None,
        finalise: bool = False,
    ) -> RestoredSnapshot:
        """Make a branch of a snapshot; with `finalise` it takes its target's place at once."""
        body: dict[str, Any] = {"target_branch_id": target_id, "finalize_restore": finalise}
        if name is not None:
            body["name"] = name
        path = path_of(project_id, "snapshots", snapshot_id, "restore")
        answer = self._transport.call("POST", path, f"snapshot {snapshot_id}", body=body)
        return self._settled(one(RestoredSnapshot, answer))

    def finalise_restore(self, project_id: str, branch_id: str, *, old_name: str | None = None) -> None:
        """Put a branch restored from a snapshot in its target's place."""
        path = path_of(project_id, "branches", branch_id, "finalize_restore")
        self._changed("POST", path, f"branch {branch_id}", project_id, {"name": old_name} if old_name else {})

    def schedule(self, project_id: str, branch_id: str) -> list[ScheduleItem]:
        """Give when a branch's snapshots are taken by themselves."""
        path = path_of(project_id, "branches", branch_id, "backup_schedule")
        return many(ScheduleItem, self._transport.call("GET", path, f"branch {branch_id}"), "schedule")

    def set_schedule(self, project_id: str, branch_id: str, items: Iterable[ScheduleItem]) -> None:
        """Set when a branch's snapshots are taken by themselves; no items end it."""
        body = {"schedule": [item.model_dump(exclude_none=True) for item in items]}
        path = path_of(project_id, "branches", branch_id, "backup_schedule")
        self._transport.call("PUT", path, f"branch {branch_id}", body=body)

    def usage(self, project: Project, since: datetime, until: datetime) -> list[BranchUsage]:
        """Give what each branch of a project has used, by days.

        Raises:
            RemoteProblem: the plan has no such history, as the free plan.
        """
        params = {
            "project_ids": project.id,
            "org_id": project.org_id,
            "from": rfc3339(since),
            "to": rfc3339(until),
            "granularity": "daily",
            "metrics": ",".join(METRICS),
        }
        thing = f"project {project.name}"
        return self._pages(BranchUsage, "consumption_history/v2/branches", "branches", thing, params)
