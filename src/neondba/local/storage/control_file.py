"""What a data directory says of itself, read without its server."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neondba.core.problem import ConflictProblem

FIELDS: Final = struct.Struct("<QIIIxxxxqQQI")
VERSIONS: Final = (1300, 1800)
SHUT_DOWN: Final = 1


@dataclass(frozen=True)
class ControlFile:
    """The head of `global/pg_control`."""

    shut_down: bool
    """True after a clean stop, and until the next start."""
    written: datetime
    checkpoint: int
    """Where the last checkpoint's record begins."""
    redo: int
    """Where replay would begin."""


def read(data: Path) -> ControlFile:
    """Read the control file of a data directory.

    Raises:
        ConflictProblem: it is of another PostgreSQL.
    """
    content = (data / "global" / "pg_control").read_bytes()
    _, version, _, state, at, checkpoint, redo, _ = FIELDS.unpack_from(content)
    if version not in VERSIONS:
        raise ConflictProblem(
            "control-file-version",
            f"{data} has a control file of version {version}; this neondba reads {VERSIONS}.",
            hint="Open it with the neondba that made it.",
        )
    return ControlFile(state == SHUT_DOWN, datetime.fromtimestamp(at, UTC), checkpoint, redo)
