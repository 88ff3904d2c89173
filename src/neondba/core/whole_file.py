"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from neondba.core.problem import ArgumentProblem


def put(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace a file's content; who reads it meanwhile sees the old or the new one.

    A link stays a link: what it leads to is replaced. The owner stays, and without a `mode` the mode.

    Raises:
        ArgumentProblem: the file or its folder cannot be written.
    """
    try:
        _put(path.resolve(), content, mode)
    except OSError as error:
        raise ArgumentProblem(
            "file-not-writable",
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Nothing in it was changed. See who owns the file and its folder.",
        ) from None


def _put(target: Path, content: bytes, mode: int | None) -> None:
    there = target.stat() if target.exists() else None
    if there is not None:
        # A file that is closed to us on purpose must not be replaced through its folder.
        target.open("r+b").close()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if there is not None:
            with suppress(PermissionError):
                os.chown(made, there.st_uid, there.st_gid)
        made.chmod(mode if mode is not None else (there.st_mode & 0o777 if there else 0o644))
        made.replace(target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
