"""A shell that outlives a killed process just long enough to stop its PostgreSQL servers.

It reads from a pipe that only its owner holds open; when the owner is gone, however it went, the pipe
ends. It may share the owner's lock, so that no new owner begins before it is done.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SCRIPT: Final = """
trap '' INT TERM HUP
read -r _
for file in "$1"/*/data/postmaster.pid; do
  read -r pid < "$file" || continue
  [ "/proc/$pid/cwd" -ef "${file%/postmaster.pid}" ] && kill -"$3" "$pid"
done 2> /dev/null
left=$(cat "$2" 2> /dev/null)
case "$left" in
  */neondba-*) rm -rf "$left" 2> /dev/null || { sleep 1; rm -rf "$left"; } ;;
esac
"""


@contextmanager
def watching(
    servers: Path, *, leftover: Path, signal: str = "INT", lock: int | None = None
) -> Iterator[None]:
    """Have the servers under this folder stopped when this process is gone.

    Args:
        servers: Holds `NAME/data` for every server, now or later.
        leftover: A file that names a folder to remove then; its name begins with `neondba-`.
        signal: How to stop them: INT in good order, QUIT when their data are of no use to anyone.
        lock: A descriptor to keep open until they are told to stop.
    """
    shell = subprocess.Popen(
        ["/bin/sh", "-c", SCRIPT, "neondba-guardian", str(servers), str(leftover), signal],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=() if lock is None else (lock,),
        cwd="/",
        start_new_session=True,
    )
    assert shell.stdin is not None
    try:
        yield
    finally:
        shell.stdin.close()
        shell.wait()
