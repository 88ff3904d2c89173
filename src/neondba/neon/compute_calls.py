"""Calls that change a compute."""

from __future__ import annotations

from typing import Any

from neondba.neon.answers import one
from neondba.neon.caller import Caller, path_of
from neondba.neon.models import Endpoint


class ComputeCalls(Caller):
    """Change what a compute may use and when it sleeps."""

    def update_endpoint(
        self,
        project_id: str,
        endpoint_id: str,
        *,
        min_cu: float | None = None,
        max_cu: float | None = None,
        suspend_seconds: int | None = None,
    ) -> Endpoint:
        """Change a compute's bounds and when it sleeps: -1 is never, 0 Neon's usual five minutes."""
        wanted: dict[str, Any] = {
            "autoscaling_limit_min_cu": min_cu,
            "autoscaling_limit_max_cu": max_cu,
            "suspend_timeout_seconds": suspend_seconds,
        }
        body = {"endpoint": {name: value for name, value in wanted.items() if value is not None}}
        path = path_of(project_id, "endpoints", endpoint_id)
        answer = self._changed("PATCH", path, f"compute {endpoint_id}", project_id, body)
        return one(Endpoint, answer, "endpoint")

    def suspend_endpoint(self, project_id: str, endpoint_id: str) -> None:
        """Suspend a compute; its sessions end."""
        path = path_of(project_id, "endpoints", endpoint_id, "suspend")
        self._changed("POST", path, f"compute {endpoint_id}", project_id)

    def restart_endpoint(self, project_id: str, endpoint_id: str) -> None:
        """Stop a compute and start it again; its sessions end."""
        path = path_of(project_id, "endpoints", endpoint_id, "restart")
        self._changed("POST", path, f"compute {endpoint_id}", project_id)
