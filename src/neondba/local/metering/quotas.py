"""Quotas: what a project's settings allow it to use in a consumption period."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from neondba.core.problem import ConflictProblem
from neondba.local.metering import usage
from neondba.local.metering.hours import period
from neondba.local.state.tables import BranchRow, EndpointRow, ProjectRow
from neondba.local.state.usage import SampleRow

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane

NAMES: Final = {
    "active_time_seconds": "active time",
    "compute_time_seconds": "compute time",
    "written_data_bytes": "written data",
    "data_transfer_bytes": "data transfer",
}
READ_ONLY: Final = "default_transaction_read_only"


class Quotas:
    """Which projects have used up what they may use."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._exceeded: dict[str, str] = {}

    def admit(self, project_id: str) -> None:
        """Let a compute of this project start.

        Raises:
            ConflictProblem: a quota is used up until the period ends.
        """
        name = self._exceeded.get(project_id)
        if name is None:
            return
        _, end = period(self._plane.clock.now())
        raise ConflictProblem(
            f"{name.replace('_', '-')}-quota-exceeded",
            f"Your project has exceeded the {NAMES[name]} quota.",
            hint=f"Raise settings.quota.{name} of project {project_id}, or wait until {end}.",
            project=project_id,
            quota=name,
        )

    def enforce(self) -> None:
        """Compare usage with quotas; suspend computes of projects that have used theirs up."""
        start, _ = period(self._plane.clock.now())
        exceeded: dict[str, str] = {}
        names: list[str] = []
        with self._plane.state.read() as rows:
            for project in rows.all(ProjectRow, deleting=False):
                quota = json.loads(project.settings).get("quota") or {}
                if not any(quota.get(name) for name in NAMES):
                    continue
                used = usage.totals(rows, start, project_id=project.id)
                over = [name for name in NAMES if 0 < (quota.get(name) or 0) <= getattr(used, name)]
                if over:
                    exceeded[project.id] = over[0]
                    names += [
                        self._plane.compute_name(row) for row in rows.all(EndpointRow, project_id=project.id)
                    ]
        self._exceeded = exceeded
        for name in names:
            if self._plane.computes.running(name):
                self._plane.computes.stop(name)
        self._limit_sizes()

    def _limit_sizes(self) -> None:
        """Make sessions of branches over their size begin read-only, and back again.

        A session that wants to free space says `set default_transaction_read_only = off`.
        """
        with self._plane.state.read() as rows:
            limits = {
                row.id: (json.loads(row.settings).get("quota") or {}).get("logical_size_bytes") or 0
                for row in rows.all(ProjectRow, deleting=False)
            }
            changed = {
                row.timeline_id: not sample.limited
                for row in rows.all(BranchRow, deleting=False)
                if (sample := rows.get(SampleRow, row.timeline_id)) is not None
                and (0 < limits.get(row.project_id, 0) < sample.logical_bytes) != sample.limited
            }
        for name, limited in changed.items():
            compute = self._plane.computes.running(name)
            if compute is None:
                continue
            with compute.admin() as connection:
                connection.execute(f"alter system set {READ_ONLY} = {'on' if limited else 'off'}".encode())
                connection.execute(b"select pg_reload_conf()")
            with self._plane.state.change() as rows:
                if (sample := rows.get(SampleRow, name)) is not None:
                    sample.limited = limited
