"""Find a project's Alembic configuration and the Python that can run it."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from neondba.core.problem import ArgumentProblem, NotFoundProblem

SKIPPED: Final = frozenset(
    {"node_modules", "site-packages", "__pycache__", "dist", "build", "venv", "env", "vendor"}
)
DEEPEST = 6


def alembic_config(folder: Path, wanted: str | None = None) -> Path:
    """Give the project's one Alembic configuration.

    Raises:
        NotFoundProblem: there is none.
        ArgumentProblem: there are several and none was chosen.
    """
    if wanted is not None:
        chosen = (folder / wanted).resolve()
        if not chosen.is_file():
            raise NotFoundProblem(
                "alembic-config-not-found",
                f"{wanted} is no file in {folder}.",
                hint="Give --config the path of alembic.ini, seen from the project's folder.",
            )
        return chosen
    if not folder.is_dir():
        raise NotFoundProblem(
            "path-not-found", f"{folder} is no folder.", hint="Give the path of the project's folder."
        )
    found = sorted(_configs(folder.resolve(), 0))
    if not found:
        raise NotFoundProblem(
            "alembic-not-found",
            f"{folder} has no alembic.ini, so there are no Alembic migrations to run.",
            hint="Run this in a project that uses Alembic, or name the file with --config.",
        )
    if len(found) > 1:
        names = [str(path.relative_to(folder.resolve())) for path in found]
        raise ArgumentProblem(
            "alembic-ambiguous",
            f"{folder} has {len(found)} Alembic configurations: {', '.join(names)}.",
            hint=f"Choose one: --config {names[0]}",
            configs=names,
        )
    return found[0]


def _configs(folder: Path, depth: int) -> Iterator[Path]:
    entries = sorted(folder.iterdir())
    if found := is_alembic_config(folder, {entry.name for entry in entries}):
        yield found
    for entry in entries:
        skipped = entry.name in SKIPPED or entry.name.startswith(".")
        if depth < DEEPEST and not skipped and entry.is_dir() and not entry.is_symlink():
            try:
                yield from _configs(entry, depth + 1)
            except PermissionError:
                continue


def is_alembic_config(folder: Path, names: Collection[str]) -> Path | None:
    """Give the configuration that a folder itself holds, of the names in it."""
    if "alembic.ini" in names:
        return folder / "alembic.ini"
    if "pyproject.toml" in names and _mentions_alembic(folder / "pyproject.toml"):
        return folder / "pyproject.toml"
    return None


def _mentions_alembic(path: Path) -> bool:
    try:
        return "alembic" in tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False


def interpreters(config: Path, folder: Path, wanted: str | None = None) -> list[Path]:
    """Give the Pythons to try: asked for, the project's own, the active one.

    Raises:
        NotFoundProblem: the one asked for does not exist.
    """
    if wanted is not None:
        chosen = Path(wanted).expanduser()
        chosen = chosen if chosen.is_absolute() else folder / chosen
        if not chosen.exists():
            raise NotFoundProblem(
                "python-not-found",
                f"There is no {chosen}.",
                hint="Give --python the interpreter in which the project's Alembic is installed.",
            )
        return [chosen]
    places = [config.parent, *config.parents]
    top = folder.resolve()
    own = [p / name for p in places if p == top or top in p.parents for name in (".venv", "venv")]
    active = os.environ.get("VIRTUAL_ENV")
    candidates = [python_of(p) for p in own] + ([python_of(Path(active))] if active else [])
    found = [path for path in candidates if path.exists()]
    return list(dict.fromkeys([*found, Path(sys.executable)]))


def python_of(environment: Path) -> Path:
    """Give the interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
