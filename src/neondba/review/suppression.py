"""Places where the project says: we know, and why.

In a file, on the line or the line above: `neondba: ignore[NDB601] backfilled in 0042`, in any comment.
In `pyproject.toml` or `neondba.toml`, for files where no comment can stand:

    [tool.neondba.review.ignore]
    NDB907 = "behind our own gateway"
    "NDB101:docs/setup.md" = "an invented password, for the demo"
    "*:examples/shop/*" = "faulty on purpose"
"""

from __future__ import annotations

import fnmatch
import io
import json
import re
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from neondba.project.tree import Tree

INLINE = re.compile(r"neondba:\s*ignore\[(?P<rules>[A-Za-z0-9_,\s-]+)\](?P<reason>[^\n]*)")
SETTINGS = ("pyproject.toml", "neondba.toml")


@dataclass
class Suppression:
    """One wish to be silent, and whether it was ever used."""

    rule: str
    """Code or name."""
    path: str
    """A path, or a pattern of paths."""
    line: int
    """Line of the wish itself."""
    reason: str
    inline: bool
    used: bool = False
    source: str = ""
    """File that holds the wish."""

    def covers(self, code: str, name: str, path: str, line: int) -> bool:
        """Tell whether a finding is meant."""
        if self.rule.upper() != code and self.rule.lower() != name and (self.inline or self.rule != "*"):
            return False
        if self.inline:
            return path == self.path and line in (self.line, self.line + 1)
        return fnmatch.fnmatchcase(path, self.path)


HASH = (
    ".py", ".pyi", ".toml", ".yml", ".yaml", ".sh", ".env", ".ini", ".cfg", ".tf", ".rb", ".mako",
)  # fmt: skip
SLASHES = (
    ".ts",
    ".tsx",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".mts",
    ".cts",
    ".prisma",
    ".go",
    ".rs",
    ".java",
    ".kt",
)
MARKUP = (".md", ".mdx", ".html", ".xml", ".svg")
HASHED_NAMES = ("Dockerfile", "Makefile", "Procfile", ".gitignore", ".dockerignore")


def comment(path: str, code: str) -> str:
    """Give the comment that answers a finding, as the file's own language writes it."""
    name = path.rpartition("/")[2]
    wish = f"neondba: ignore[{code}]"
    if name.endswith(HASH) or name.startswith((".env", *HASHED_NAMES)):
        return f"# {wish} <why>"
    if name.endswith(SLASHES):
        return f"// {wish} <why>"
    if name.endswith(".sql"):
        return f"-- {wish} <why>"
    if name.endswith(MARKUP):
        return f"<!-- {wish} <why> -->"
    return f'{json.dumps(f"{code}:{path}")} = "<why>" under [tool.neondba.review.ignore] in pyproject.toml'


def inline(tree: Tree, path: str) -> list[Suppression]:
    """Read the wishes that stand in a file's comments."""
    text = tree.text(path) or ""
    if "neondba:" not in text:
        return []
    found = []
    for number, line in _comments(path, text):
        if match := INLINE.search(line):
            reason = re.sub(r"\s*(\*/|-->|#}|%>)\s*$", "", match["reason"]).strip(" \t:-")
            found += [
                Suppression(wanted.strip(), path, number, reason, inline=True, source=path)
                for wanted in match["rules"].split(",")
                if wanted.strip()
            ]
    return found


def _comments(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Give the lines where a wish can stand: in Python comments only, since a string is not one."""
    if not path.endswith(".py"):
        yield from enumerate(text.split("\n"), start=1)
        return
    try:
        words = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        yield from ((n, line) for n, line in enumerate(text.split("\n"), start=1) if "#" in line)
    else:
        yield from ((w.start[0], w.string) for w in words if w.type == tokenize.COMMENT)


def configured(tree: Tree) -> list[Suppression]:
    """Read the wishes in the project's settings files; one that cannot be read is noted at the tree."""
    found = []
    for source in SETTINGS:
        text = tree.text(source) if source in tree.paths else None
        if text is None:
            continue
        try:
            table = _ignore_table(source, text)
        except ValueError as error:
            tree.notes[source] = f"no suppression in it is followed: {error}"
            continue
        for key, reason in table.items():
            wanted, _, pattern = key.partition(":")
            line = next((n for n, row in enumerate(text.split("\n"), 1) if key in row), 1)
            said = reason.strip() if isinstance(reason, str) else ""
            found.append(Suppression(wanted, pattern or "*", line, said, inline=False, source=source))
    return found


def _ignore_table(source: str, text: str) -> dict[str, Any]:
    """Give the reasons by rule and path.

    Raises:
        ValueError: the file is no TOML, or has something else in their place.
    """
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    path = ["tool", "neondba"] if source == "pyproject.toml" else []
    for name in [*path, "review", "ignore"]:
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise ValueError(f"{name} is no table")
    return table
