"""The project's `.gitignore` files, with git's own meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from neondba.project.tree import Tree

NAME = ".gitignore"


@dataclass(frozen=True)
class IgnoreRule:
    """One pattern of one file."""

    path: str
    """The file it stands in."""
    line: int
    text: str
    negated: bool
    folders_only: bool
    expression: re.Pattern[str]
    """Matches paths relative to the folder of its file."""


class Ignores:
    """Which paths git would pass by."""

    def __init__(self, rules: dict[str, list[IgnoreRule]]) -> None:
        self.rules = rules
        """Rules by the folder of their file; the root is the empty text."""
        self._folders: dict[str, IgnoreRule | None] = {"": None}

    @classmethod
    def gather(cls, tree: Tree) -> Ignores:
        """Read every `.gitignore`."""
        found = {}
        for path in tree.named(NAME):
            found[path.rpartition("/")[0]] = rules_of(path, tree.text(path) or "")
        return cls(found)

    def deciding(self, path: str) -> IgnoreRule | None:
        """Give the rule that decides about a path: the last match of the nearest file.

        A folder that is passed by hides what is in it, whatever later rules say.
        """
        folder, _, _ = path.rpartition("/")
        hidden = self._hiding(folder)
        return hidden or self._last_match(path.split("/"), is_folder=False)

    def _hiding(self, folder: str) -> IgnoreRule | None:
        """Give the rule that hides a folder, or one above it."""
        if folder not in self._folders:
            above = self._hiding(folder.rpartition("/")[0])
            own = above or self._last_match(folder.split("/"), is_folder=True)
            self._folders[folder] = own if own and not own.negated else None
        return self._folders[folder]

    def ignores(self, path: str) -> bool:
        """Tell whether git would pass a file by that is not tracked yet."""
        rule = self.deciding(path)
        return rule is not None and not rule.negated

    def _last_match(self, parts: list[str], *, is_folder: bool) -> IgnoreRule | None:
        for depth in range(len(parts) - 1, -1, -1):
            relative = "/".join(parts[depth:])
            for rule in reversed(self.rules.get("/".join(parts[:depth]), [])):
                if (is_folder or not rule.folders_only) and rule.expression.fullmatch(relative):
                    return rule
        return None


def rules_of(path: str, text: str) -> list[IgnoreRule]:
    """Read the rules of one file."""
    rules = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = re.sub(r"(?<!\\)\s+$", "", raw.removesuffix("\r"))
        if not line or line.startswith("#"):
            continue
        negated = line.startswith("!")
        pattern = line.removeprefix("!")
        folders_only = pattern.endswith("/")
        expression = _expression(pattern.rstrip("/"))
        if pattern.strip("/"):
            rules.append(IgnoreRule(path, number, line, negated, folders_only, expression))
    return rules


@lru_cache(maxsize=2048)
def _expression(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern
    body = _translated(pattern.removeprefix("/"))
    return re.compile(body if anchored else f"(?:.*/)?{body}", re.DOTALL)


def _translated(pattern: str) -> str:
    out, i = [], 0
    while i < len(pattern):
        rest = pattern[i:]
        if rest.startswith("**/") and (i == 0 or pattern[i - 1] == "/"):
            out.append("(?:.*/)?")
            i += 3
        elif rest == "**" and i and pattern[i - 1] == "/":
            out.append(".+")
            i += 2
        elif rest[0] == "*":
            out.append("[^/]*")
            i += 1
        elif rest[0] == "?":
            out.append("[^/]")
            i += 1
        elif rest[0] == "[" and (bracket := re.match(r"\[[!^]?\]?[^\]]*\]", rest)):
            inside = bracket[0][1:-1].replace("\\", "\\\\").replace("[", "\\[")
            out.append("[" + ("^" + inside[1:] if inside[:1] in "!^" else inside) + "]")
            i += bracket.end()
        elif rest[0] == "\\" and len(rest) > 1:
            out.append(re.escape(rest[1]))
            i += 2
        else:
            out.append(re.escape(rest[0]))
            i += 1
    return "".join(out)
