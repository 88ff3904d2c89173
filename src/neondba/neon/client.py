"""The Neon API v2, typed: the same calls for the cloud and the local Neon.

A method that changes something returns when Neon has carried the change out.
"""

from __future__ import annotations

from neondba.neon.branch_calls import BranchCalls
from neondba.neon.compute_calls import ComputeCalls
from neondba.neon.project_calls import ProjectCalls
from neondba.neon.role_calls import RoleCalls
from neondba.neon.snapshot_calls import SnapshotCalls


class NeonClient(ProjectCalls, BranchCalls, SnapshotCalls, ComputeCalls, RoleCalls):
    """Call the Neon API at one base address with one key."""
