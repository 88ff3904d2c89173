"""Read the meters: active time each second, sizes and written bytes while there is activity."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from neondba.core.problem import Problem
from neondba.local import sql
from neondba.local.control.names import endpoints_by_compute
from neondba.local.control.worker import stamp
from neondba.local.metering.hours import HOUR, floor, parse, shares
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow
from neondba.local.state.usage import SampleRow, UsageRow

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane

ROUND: Final = 1.0
FLUSH: Final = 15.0
"""Seconds between two writings to disk: a killed server forgets at most this much usage."""
SAMPLE: Final = 30.0
"""Seconds between two looks into the same compute."""
LONGEST_GAP: Final = timedelta(days=60)
"""A server that did not run for longer leaves a hole in the storage figures."""


class Meter:
    """The figures of all branches of one local Neon."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._rounds, name="meter", daemon=True)
        self._active: Counter[tuple[str, str]] = Counter()
        self._units: Counter[tuple[str, str]] = Counter()
        self._sent: Counter[tuple[str, str]] = Counter()
        self._awake: dict[str, EndpointRow] = {}
        self._last = plane.clock.now()
        self._sampled: dict[str, float] = {}

    def begin(self) -> None:
        """Measure from now on."""
        self._thread.start()

    def close(self) -> None:
        """Measure no more; write down what is known."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()

    def transferred(self, branch_id: str, to_client: int) -> None:
        """Count bytes that were sent to a branch's clients."""
        with self._guard:
            self._sent[branch_id, stamp(floor(self._plane.clock.now(), "hourly"))] += to_client

    def tick(self) -> None:
        """Count the time since the last tick for the computes awake at both."""
        now = self._plane.clock.now()
        names = self._plane.computes.awake()
        with self._plane.state.read() as rows:
            endpoints = endpoints_by_compute(rows)
        awake = {name: endpoints[name] for name in names if name in endpoints}
        with self._guard:
            for name in awake.keys() & self._awake.keys():
                for hour, seconds in shares(self._last, now):
                    key = (awake[name].branch_id, hour)
                    self._active[key] += seconds  # type: ignore[assignment]
                    self._units[key] += seconds * awake[name].min_cu  # type: ignore[assignment]
            self._awake, self._last = awake, now

    def sample(self, timeline_id: str) -> None:
        """Look how far a compute's log and size have grown; one that sleeps has not grown."""
        compute = self._plane.computes.running(timeline_id)
        if compute is None:
            return
        self._sampled[timeline_id] = self._plane.clock.monotonic()
        with compute.admin() as connection:
            row = connection.execute(sql.text("sizes")).fetchone()
        assert row is not None
        position, logical = int(row[0]), int(row[1])
        now = self._plane.clock.now()
        with self._plane.state.change() as rows:
            branch = rows.first(BranchRow, timeline_id=timeline_id)
            if branch is None:
                return
            last = rows.get(SampleRow, timeline_id)
            if last is None:
                last = SampleRow(
                    timeline_id=timeline_id, first_position=position, position=position, logical_bytes=logical
                )
                rows.add(last)
            usage = _hour(rows, branch, stamp(floor(now, "hourly")))
            usage.written_bytes += max(0, position - last.position)
            usage.logical_bytes, last.logical_bytes = logical, logical
            usage.delta_bytes = position - last.first_position
            last.position = max(position, last.position)

    def flush(self) -> None:
        """Put what was counted on disk, and give every living branch its row for this hour."""
        with self._guard:
            active, units, sent = self._active, self._units, self._sent
            self._active, self._units, self._sent = Counter(), Counter(), Counter()
        now = self._plane.clock.now()
        with self._plane.state.change() as rows:
            branches = {row.id: row for row in rows.all(BranchRow) if row.deleted_at is None}
            for branch in branches.values():
                _fill(rows, branch, now)
            for branch_id, hour in sorted({*active, *units, *sent}):
                if branch_id in branches:
                    usage = _hour(rows, branches[branch_id], hour)
                    usage.active_seconds += active[branch_id, hour]
                    usage.compute_unit_seconds += units[branch_id, hour]
                    usage.transferred_bytes += sent[branch_id, hour]

    def round(self) -> None:
        """Sample the computes that somebody used since, then write everything down."""
        for name, endpoint in list(self._awake.items()):
            since = self._plane.clock.monotonic() - self._sampled.get(name, float("-inf"))
            used = self._plane.directory.connections(endpoint.id) or (
                self._plane.directory.quiet_for(endpoint.id) < SAMPLE
            )
            if endpoint.type == "read_write" and since >= SAMPLE and used:
                try:
                    self.sample(name)
                except (OSError, Problem) as error:
                    logging.getLogger(__name__).info("compute %s was not measured: %s", name, error)
        self.flush()

    def _rounds(self) -> None:
        due = self._plane.clock.monotonic() + FLUSH
        while not self._stop.wait(ROUND):
            try:
                self.tick()
                if self._plane.clock.monotonic() >= due:
                    due = self._plane.clock.monotonic() + FLUSH
                    self.round()
                    self._plane.quotas.enforce()
            except Exception:
                logging.getLogger(__name__).exception("a reading of the meters failed")


def _hour(rows: Rows, branch: BranchRow, hour: str) -> UsageRow:
    """Give a branch's row for an hour; a new one begins with the sizes of the last."""
    found = rows.get(UsageRow, (branch.id, hour))
    if found is not None:
        return found
    before = rows.last(UsageRow, branch_id=branch.id)
    made = UsageRow(
        branch_id=branch.id,
        hour=hour,
        project_id=branch.project_id,
        child=branch.parent_id is not None,
        logical_bytes=before.logical_bytes if before else 0,
        delta_bytes=before.delta_bytes if before else 0,
        history_bytes=before.history_bytes if before else 0,
        snapshot_bytes=before.snapshot_bytes if before else 0,
    )
    rows.add(made)
    return made


def _fill(rows: Rows, branch: BranchRow, now: datetime) -> None:
    """Give a branch a row for every hour since its last one: storage is used while all sleeps."""
    last = rows.last(UsageRow, branch_id=branch.id)
    at = parse(last.hour) + HOUR if last else floor(now, "hourly")
    at = max(at, floor(now - LONGEST_GAP, "hourly"))
    while at <= now:
        _hour(rows, branch, stamp(at))
        at += HOUR
