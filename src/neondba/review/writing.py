"""Write files of a project so that each is either as before or as meant, never half."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from neondba.core.problem import RemoteProblem


def put(place: Path, data: bytes) -> None:
    """Write a whole file beside its place, then exchange the two; the mode stays.

    Raises:
        RemoteProblem: it cannot be written; the file is as before.
    """
    name = ""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:40]}.", suffix=".neondba")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_mode(place))
        Path(name).replace(place)
    except OSError as error:
        with suppress(OSError):
            if name:
                Path(name).unlink()
        raise RemoteProblem(
            "file-not-written",
            f"{place} could not be written: {error.strerror or error}. It is as before.",
            hint="Make room or give yourself the right to write there, then repeat the call.",
        ) from None


def _mode(place: Path) -> int:
    try:
        return place.stat().st_mode & 0o7777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
