"""What every call to the Neon API needs: one transport, pages, and waiting for Neon's operations."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

from neondba.core.context import Clock
from neondba.core.secret import Secret
from neondba.neon.answers import failed, many, one, slow
from neondba.neon.models import CreatedBranch, CreatedProject, NeonModel, Operation, RestoredSnapshot
from neondba.neon.transport import Transport

M = TypeVar("M", bound=NeonModel)
Created = TypeVar("Created", CreatedProject, CreatedBranch, RestoredSnapshot)

PAGE: Final = 400
FIRST_LOOK: Final = 0.05
SLOWEST_LOOK: Final = 1.0
SLOWEST_LOCAL_LOOK: Final = 0.15


class Caller:
    """Send calls to one base address with one key, and wait for what they begin."""

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

    def operation(self, project_id: str, operation_id: str) -> Operation:
        """Give one operation by its id."""
        path = path_of(project_id, "operations", operation_id)
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

    def operations(self, project_id: str, *, most: int = 100) -> list[Operation]:
        """Give a project's last operations, the newest first."""
        answer = self._transport.call(
            "GET", path_of(project_id, "operations"), f"project {project_id}", params={"limit": most}
        )
        return many(Operation, answer, "operations")

    def _settled(self, created: Created) -> Created:
        if created.operations:
            self.wait(created.operations[0].project_id, created.operations)
        return created

    def _changed(
        self,
        method: str,
        path: str,
        thing: str,
        project_id: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        answer = self._transport.call(method, path, thing, params=params, body=body)
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


def path_of(project_id: str, *rest: str) -> str:
    """Give the path of a thing of a project; names are escaped."""
    return "/".join(["projects", *(quote(part, safe="") for part in (project_id, *rest))])


def rfc3339(moment: datetime | None) -> str | None:
    """Write when something ends, as Neon reads it: to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def exactly(moment: datetime | None) -> str | None:
    """Write a point of a history, as exact as it was given."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
