"""Which PostgreSQL settings an endpoint may ask for; PostgreSQL itself judges the values."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from neondba.local.computes.manager import programs_of

ALLOWED: Final = "user"
"""The context of settings that Neon lets its users change."""


def fault(major: int, wanted: Mapping[str, object]) -> str | None:
    """Say why a compute of this release cannot have these settings; None when it can."""
    known = _contexts(major)
    for name, value in wanted.items():
        if name.lower() not in known:
            return f'unrecognized configuration parameter "{name}"'
        if known[name.lower()] != ALLOWED:
            return f'parameter "{name}" cannot be changed: Neon manages it'
        if not isinstance(value, str) or "\0" in value:
            return f'the value of parameter "{name}" must be a text'
    return _judged(major, {name: str(value) for name, value in wanted.items()}) if wanted else None


@cache
def _contexts(major: int) -> dict[str, str]:
    said = _run(major, ["--describe-config"], Path("/"))
    rows = (line.split("\t") for line in said.stdout.splitlines())
    return {row[0].lower(): row[1] for row in rows if len(row) > 1}


def _judged(major: int, wanted: Mapping[str, str]) -> str | None:
    """Have PostgreSQL read the settings without starting."""
    owner = programs_of(major).owner
    with tempfile.TemporaryDirectory(prefix="neondba-") as folder:
        place = Path(folder)
        file = place / "postgresql.conf"
        file.touch()
        if owner is not None:
            os.chown(place, *owner)
            os.chown(file, *owner)
        arguments = ["-C", "data_directory", "-D", programs_of(major).within(place)]
        for name, value in wanted.items():
            arguments += ["-c", f"{name}={value}"]
        said = _run(major, arguments, place)
    if said.returncode == 0:
        return None
    lines = [line.partition("FATAL:")[2].strip() for line in said.stderr.splitlines() if "FATAL:" in line]
    return lines[0] if lines else "the settings are not valid"


def _run(major: int, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    programs = programs_of(major)
    return subprocess.run(
        [programs.program("postgres"), *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        **programs.spawn,
    )
