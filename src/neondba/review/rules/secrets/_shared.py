"""What the rules about secrets share."""

from __future__ import annotations

import re

from neondba.project.environment import Environment, Read
from neondba.project.gitignore import Ignores
from neondba.project.places import is_example, is_generated, is_script, is_test
from neondba.project.services import Services
from neondba.project.tree import Tree

_VENDORED = re.compile(r"/skills/neon-(?:postgres|drizzle|serverless|auth|js|toolkit)/references/")
"""Neon's own documents, as its skills for coding agents bring them: their samples open nothing."""


def is_kept(tree: Tree, ignores: Ignores, path: str) -> bool:
    """Tell whether git keeps a file, or would."""
    if tree.tracked is not None:
        return path in tree.tracked
    return not ignores.ignores(path)


def is_read_by_people(tree: Tree, ignores: Ignores, path: str) -> bool:
    """Tell whether a file is one that git keeps and that somebody wrote."""
    return not (is_generated(path) or _VENDORED.search(path)) and is_kept(tree, ignores, path)


def from_environment(path: str, variable: str) -> str:
    """Give the line that reads a variable, in the language of a file."""
    if path.endswith(".py"):
        return f'{variable.lower()} = os.environ["{variable}"]'
    if path.endswith((".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs")):
        return f"const {_camel(variable)} = process.env.{variable};"
    if path.endswith((".yml", ".yaml")):
        return f"{variable}: ${{{variable}:?set it outside the repository}}"
    return f"{variable}="


def _camel(variable: str) -> str:
    first, *rest = variable.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def has_example(tree: Tree, folder: str = "") -> bool:
    """Tell whether the project, or a folder of it, ships a file with the names of its variables."""
    above = f"{folder}/" if folder else ""
    return any(
        path.startswith(above) and is_example(path) and "env" in path.rpartition("/")[2].lower()
        for path in tree.paths
    )


def unnamed(
    environment: Environment, tree: Tree, services: Services, *, least: int = 2
) -> dict[str, list[Read]]:
    """Give what parts of the project must be given and no file names, by folder of the part.

    Parts that have an example are left out, and such as need fewer variables of weight.
    """
    shown = {e.key for f in environment.files if f.is_example or tree.is_tracked(f.path) for e in f.entries}
    shown |= {n for p in tree.paths if is_example(p) for n in _WORDS.findall(tree.text(p) or "")}
    found: dict[str, dict[str, Read]] = {}
    for read in environment.reads:
        if read.required and read.name not in shown and not (is_test(read.path) or is_script(read.path)):
            found.setdefault(services.of(read.path).folder, {}).setdefault(read.name, read)
    files = [f.path for f in environment.files if tree.is_tracked(f.path)]
    return {
        folder: list(reads.values())
        for folder, reads in found.items()
        if folder
        and sum(_WEIGHTY.search(name) is not None for name in reads) >= least
        and not has_example(tree, folder)
        and not any(path.startswith(f"{folder}/") for path in files)
    }


_WORDS = re.compile(r"^\s*#?\s*(?:export\s+)?([A-Z][A-Z0-9_]+)\s*=", re.MULTILINE)
_WEIGHTY = re.compile(r"^.*(?:URL|SECRET|KEY|TOKEN|PASSWORD|DSN)", re.IGNORECASE)


def some(names: list[str], most: int = 3) -> str:
    """Give the first names, and say when there are more."""
    return ", ".join(names[:most]) + (" and others" if len(names) > most else "")
