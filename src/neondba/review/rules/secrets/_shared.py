"""What the rules about secrets share."""

from __future__ import annotations

import re

from neondba.project.gitignore import Ignores
from neondba.project.places import is_example, is_generated
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


def has_example(tree: Tree) -> bool:
    """Tell whether the project ships a file with the names of its variables."""
    return any(is_example(path) and "env" in path.rpartition("/")[2].lower() for path in tree.paths)


def some(names: list[str], most: int = 3) -> str:
    """Give the first names, and say when there are more."""
    return ", ".join(names[:most]) + (" and others" if len(names) > most else "")
