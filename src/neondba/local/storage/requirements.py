"""What storage does, and where it differs from Neon."""

from __future__ import annotations

from typing import Final

from neondba.local.requirement import SPEC, Requirement

BEHAVIOURS: Final = (
    Requirement(
        "storage.history",
        "A branch or restore at an LSN or a time inside the history window is exact to the commit.",
        "Points outside answer 400 with the window's bounds. The log is kept whole on this disk: a base "
        "and the log behind it are replayed, which takes seconds for gigabytes.",
        source=SPEC,
    ),
    Requirement(
        "storage.history-window",
        "history_retention_seconds bounds the window; 0 keeps no history.",
        "Raised from 0, history begins at the compute's next start. Up to one base more than the window "
        "needs is kept.",
        source=SPEC,
    ),
    Requirement(
        "storage.branch-of-branch",
        "A branch can be restored to any moment since its creation, and before it as its parent was.",
    ),
    Requirement(
        "storage.moment",
        "A branch is one moment of its parent, which goes on working; one that sleeps is not woken.",
    ),
    Requirement(
        "storage.clone",
        "A branch shares its parent's data until one of them changes it.",
        "Where the file system clones files (btrfs, XFS, bcachefs); elsewhere, as on ext4, the data is "
        "copied. The branch's `cloned_by` says which.",
    ),
)
