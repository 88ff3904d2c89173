"""Make directories that hold a timeline as it was at a point of its history."""

from __future__ import annotations

from neondba.core.problem import ArgumentProblem
from neondba.local.computes.manager import Computes
from neondba.local.storage import backup
from neondba.local.storage.cloner import Cloner
from neondba.local.storage.directories import Directories
from neondba.local.storage.point import Fork, Point


class History:
    """The past of all timelines."""

    def __init__(self, branches: Directories, computes: Computes, cloner: Cloner) -> None:
        self._branches = branches
        self._computes = computes
        self.cloner = cloner

    def make(self, timeline_id: str, point: Point, name: str) -> Fork:
        """Make the directory `name` hold a timeline as it was at a point; its server may run.

        The directory is whole when this returns, or not there at all. Made already, it stays as it is.

        Raises:
            ArgumentProblem: the point is outside the history window.
            OSError: the disk is full.
        """
        if self._branches.exists(name):
            return Fork(None)
        if not point.now:
            raise ArgumentProblem("point-not-available", "The past is not available in the local Neon yet.")
        with self._computes.held(timeline_id) as compute:
            self._branches.check(timeline_id)
            with self._branches.making(name) as data:
                if compute is not None:
                    return Fork(backup.clone_running(self.cloner, compute, data, self._branches.owner))
                source = self._branches.data(timeline_id)
                backup.clone_stopped(self.cloner, source, data, self._branches.owner)
                return Fork(None)
