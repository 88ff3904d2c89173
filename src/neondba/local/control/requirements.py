"""What restores, snapshots and deletions do beyond single operations, and where they differ from Neon."""

from __future__ import annotations

from typing import Final

from neondba.local.requirement import SPEC, Requirement

BEHAVIOURS: Final = (
    Requirement(
        "restore.whole",
        "A restore is done wholly or not at all; until it is done the branch holds what it held.",
        source=SPEC,
    ),
    Requirement(
        "restore.preserved",
        "What a branch held before it was restored to its own past becomes its parent.",
        "That one can be deleted all the same: here its data is a copy of its own.",
    ),
    Requirement(
        "restore.expiry",
        "A branch that expires has its whole time again after a reset.",
    ),
    Requirement(
        "restore.roles",
        "Roles and databases come with the data.",
        "Those of a past have the passwords that the API gave last: connection strings go on working.",
    ),
    Requirement(
        "branch.protected-children",
        "Children of a protected branch have role passwords of their own, which a reset does not change.",
    ),
    Requirement(
        "branch.archive",
        "A branch older than 14 days that nobody used for 24 hours is archived until somebody does.",
        "A word only: the directory stays as it is, and waking takes no longer.",
    ),
    Requirement(
        "snapshot.size",
        "A snapshot made by hand shows its full size, a scheduled one what was added since the one before.",
        "Added is what was written to the log, at most the full size.",
        source=SPEC,
    ),
)
