"""A shell that outlives a killed server just long enough to stop its computes.

It reads from a pipe that only the server holds open; when the server is gone, however it went, the
pipe ends. It shares the server's lock, so no new server begins before it is done.
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
  [ "/proc/$pid/cwd" -ef "${file%/postmaster.pid}" ] && kill -INT "$pid"
done 2> /dev/null
sockets=$(cat "$1/../sockets" 2> /dev/null)
case "$sockets" in */neondba-*) rm -rf "$sockets" ;; esac
"""


@contextmanager
def watching(branches: Path, lock: int) -> Iterator[None]:
    """Have the computes under this folder stopped when this process is gone."""
    shell = subprocess.Popen(
        ["/bin/sh", "-c", SCRIPT, "neondba-guardian", str(branches)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(lock,),
        cwd="/",
        start_new_session=True,
    )
    assert shell.stdin is not None
    try:
        yield
    finally:
        shell.stdin.close()
        shell.wait()
