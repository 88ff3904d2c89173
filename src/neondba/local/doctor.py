"""What this machine can do for the local Neon, found out by trying."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import Final, Literal

from pydantic import BaseModel

from neondba.core.problem import Problem
from neondba.local.server_file import ServerFile, folder_of

Verdict = Literal["good", "slow", "attention", "broken"]

MEGABYTE: Final = 1 << 20
PER_COPY: Final = 40
"""Megabytes of an empty branch where files are copied."""
PER_COMPUTE: Final = 40
"""Megabytes of memory that an awake compute takes with a few connections."""
LOW_DISK: Final = 1024
LOW_MEMORY: Final = 512
LOW_SHARED: Final = 256
LOW_FILES: Final = 1024
SHARED: Final = "/dev/shm"  # noqa: S108 - only its size is asked
CLONING: Final = frozenset({"xfs", "btrfs", "bcachefs"})
MARK: Final = {"good": "good", "slow": "slow", "attention": "look", "broken": "BROKEN"}


class Check(BaseModel):
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    says: str
    """What was found and what it means."""
    do: tuple[str, ...] = ()
    """Commands that make it better."""


class Doctor(BaseModel):
    """What this machine can do for the local Neon."""

    state_dir: Path
    checks: tuple[Check, ...]

    @property
    def broken(self) -> int:
        """Count what keeps the local Neon from working."""
        return sum(check.verdict == "broken" for check in self.checks)

    def as_text(self, width: int) -> str:
        """Show each check with what to do about it; commands are not wrapped."""
        import textwrap

        lines = [f"The local Neon over {self.state_dir}", ""]
        left = max(len(check.name) for check in self.checks)
        for check in self.checks:
            head = f"{MARK[check.verdict]:<7} {check.name:<{left}}  "
            inside = " " * len(head)
            lines += textwrap.wrap(
                check.says, width, initial_indent=head, subsequent_indent=inside, break_on_hyphens=False
            )
            lines += [f"{inside}  {command}" for command in check.do]
        works = "It works here." if not self.broken else "It does not work here: see BROKEN above."
        slow = any(check.verdict == "slow" for check in self.checks)
        return "\n".join([*lines, "", works + (" The fast path is above, under slow." if slow else "")])


def examine(state_dir: Path) -> Doctor:
    """Look at everything the local Neon needs."""
    looks: tuple[Callable[[Path], Check], ...] = (
        _folder, _cloning, _disk, _memory, _shared_memory, _files, _ports, _names, _user, _postgres,
        _relay,
    )  # fmt: skip
    return Doctor(state_dir=state_dir, checks=tuple(look(state_dir) for look in looks))


def _nearest(state_dir: Path) -> Path:
    """Give the folder itself, or the one it would be made in."""
    places: Iterator[Path] = iter([state_dir.absolute(), *state_dir.absolute().parents])
    return next(place for place in places if place.exists())


def _folder(state_dir: Path) -> Check:
    place = _nearest(state_dir)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return Check(
            name="state folder",
            verdict="broken",
            says=f"{place} is no folder that you can write to.",
            do=("export NEONDBA_STATE_DIR=SOME/FOLDER/OF/YOURS",),
        )
    there = "is there and can be written" if place == state_dir.absolute() else "can be made"
    return Check(name="state folder", verdict="good", says=f"{state_dir} {there}.")


def _cloning(state_dir: Path) -> Check:
    from neondba.local.storage.cloner import FileClone, choose

    place = _nearest(state_dir)
    kind = file_system(place)
    try:
        fast = choose(place).name == FileClone.name
    except OSError as error:
        return Check(name="cloning", verdict="broken", says=f"No file can be made here: {error.strerror}.")
    if fast:
        return Check(
            name="cloning",
            verdict="good",
            says=f"{kind} clones files: a branch takes the same short time at any size.",
        )
    why = f"{kind} here was made without file cloning" if kind in CLONING else f"{kind} has no file cloning"
    return Check(
        name="cloning",
        verdict="slow",
        says=f"{why}, so a branch is a full copy: about {PER_COPY} MB when empty, and time in step with its "
        "size. On an XFS or btrfs volume it takes the same short time at any size. This makes one in a file, "
        "takes no partition, and is gone after a reboot until it is mounted again:",
        do=_fast_path(),
    )


def _fast_path() -> tuple[str, ...]:
    if sys.platform != "linux":
        return ()
    return (
        "sudo mkdir -p /srv/neondba",
        "sudo truncate -s 20G /var/lib/neondba.img",
        "sudo mkfs.xfs -q -m reflink=1 /var/lib/neondba.img   # package xfsprogs; or: mkfs.btrfs -q",
        "sudo mount -o loop /var/lib/neondba.img /srv/neondba",
        'sudo chown "$(id -un)" /srv/neondba',
        "neondba local stop",
        "export NEONDBA_STATE_DIR=/srv/neondba/state   # or --state-dir; old projects stay in the old folder",
        "neondba local start",
    )


def file_system(place: Path) -> str:
    """Name the kind of file system that a folder is on."""
    try:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return "this file system"
    real = place.resolve()
    best = max(
        (entry for entry in mounts if real.is_relative_to(entry[1].replace("\\040", " "))),
        key=lambda entry: len(entry[1]),
        default=None,
    )
    return best[2] if best else "this file system"


def _disk(state_dir: Path) -> Check:
    free = shutil.disk_usage(_nearest(state_dir)).free // MEGABYTE
    says = f"{free} MB are free."
    if free < LOW_DISK:
        do = "Free some space, or choose another folder with --state-dir."
        return Check(
            name="disk", verdict="broken" if free < 2 * PER_COPY else "attention", says=f"{says} {do}"
        )
    return Check(name="disk", verdict="good", says=says)


def _memory(state_dir: Path) -> Check:  # noqa: ARG001 - all checks are called alike
    free = _free_memory()
    if free is None:
        return Check(name="memory", verdict="good", says="How much is free is not known on this system.")
    says = f"{free} MB are free: about {free // PER_COMPUTE} computes can be awake at once."
    says += " Those that nobody uses are suspended and take none."
    return Check(name="memory", verdict="attention" if free < LOW_MEMORY else "good", says=says)


def _free_memory() -> int | None:
    """Give the megabytes that are left, to the machine or to this container."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) // 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        group = Path("/sys/fs/cgroup")
        left = int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return min(free, max(0, left // MEGABYTE))


def _shared_memory(state_dir: Path) -> Check:  # noqa: ARG001
    place = Path(SHARED)
    if sys.platform != "linux":
        return Check(name=SHARED, verdict="good", says="Not needed on this system.")
    if not place.is_dir():
        return Check(name=SHARED, verdict="broken", says="It is missing; PostgreSQL needs it.")
    size = shutil.disk_usage(place).total // MEGABYTE
    if size < LOW_SHARED:
        says = f"It holds {size} MB: large parallel queries of several computes may fail for want of it."
        return Check(
            name=SHARED,
            verdict="attention",
            says=says + " In a container:",
            do=("docker run --shm-size=1g …   # compose: shm_size: 1g",),
        )
    return Check(name=SHARED, verdict="good", says=f"It holds {size} MB.")


def _files(state_dir: Path) -> Check:  # noqa: ARG001
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and limit < LOW_FILES:
        says = f"A process may open {limit} files: too few for some hundred connections."
        return Check(name="open files", verdict="attention", says=says, do=(f"ulimit -n {LOW_FILES * 4}",))
    return Check(
        name="open files", verdict="good", says="The limit is high enough for hundreds of connections."
    )


def _ports(state_dir: Path) -> Check:
    from neondba.local import launch

    running = launch.status(state_dir)
    if running is not None:
        says = f"The local Neon listens on 127.0.0.1:{running.api_port} (API) and "
        return Check(
            name="ports", verdict="good", says=f"{says}127.0.0.1:{running.postgres_port} (PostgreSQL)."
        )
    for name, port in ServerFile.ports(folder_of(state_dir)).items():
        if not _free(port):
            flag = "--port" if name == "api" else "--postgres-port"
            return Check(
                name="ports",
                verdict="broken",
                says=f"Port {port}, which it used last, is taken by another program. Stop that one, or take "
                "another port; connection strings that were given out then no longer fit:",
                do=(f"neondba local start {flag} 0 --state-dir {quote(str(state_dir))}",),
            )
    return Check(name="ports", verdict="good", says="Its ports are free; it listens on 127.0.0.1 only.")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _names(state_dir: Path) -> Check:  # noqa: ARG001
    from neondba.local.addresses import names_resolve

    if names_resolve():
        says = "ep-….localhost resolves: connection strings look as on Neon."
        return Check(name="names", verdict="good", says=says)
    return Check(
        name="names",
        verdict="good",
        says="ep-….localhost does not resolve here, so connection strings name 127.0.0.1 and carry "
        "options=endpoint%3Dep-…; every driver that takes a whole string works. Names as on Neon come with "
        "systemd-resolved (package libnss-resolve).",
    )


def _user(state_dir: Path) -> Check:  # noqa: ARG001
    from neondba.postgres import binaries

    if os.geteuid() != 0:
        return Check(name="user", verdict="good", says="An ordinary user: PostgreSQL runs as you.")
    try:
        owner = binaries.find().owner
    except Problem as problem:
        return Check(name="user", verdict="broken", says=f"{problem.message} {problem.hint}")
    import pwd

    name = pwd.getpwuid(owner[0]).pw_name if owner else "you"
    return Check(name="user", verdict="good", says=f"You are root, so PostgreSQL runs as {name}.")


def _postgres(state_dir: Path) -> Check:  # noqa: ARG001
    from neondba.postgres import binaries

    try:
        release = binaries.find().release
    except Problem as problem:
        return Check(name="PostgreSQL", verdict="broken", says=f"{problem.message} {problem.hint}")
    others = [str(major) for major in binaries.majors() if major != binaries.MAJOR]
    more = f"; installed here too: {', '.join(others)}" if others else "; no other release is installed here"
    return Check(name="PostgreSQL", verdict="good", says=f"{release} comes with neondba{more}.")


def _relay(_state_dir: Path) -> Check:
    from neondba.local.proxy import fast

    reason = fast.why_not()
    if reason is None:
        return Check(name="relay", verdict="good", says="Connections go through the native relay.")
    return Check(
        name="relay",
        verdict="slow",
        says=f"Connections go through the relay in Python, about three quarters as fast: {reason}.",
        do=("apt-get install gcc  # then install neondba again",),
    )
