"""Run the other reviewers on one work tree and read what they found."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

SECRETLINT = Path(__file__).parent / "secretlint"
RUFF = "DTZ,S,ASYNC,FAST,BLE,TRY"

OWN = {
    "detect-secrets": ("secret",),
    "secretlint": ("secret",),
    "squawk": ("migration",),
    "ruff": ("secret", "orm-bypass", "schema", "production"),
    "bandit": ("secret", "orm-bypass", "production"),
    "pgrls": ("isolation",),
}
"""The categories that each tool is made for."""

CATEGORIES: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "ruff": [
        (r"S10[4567]", ("secret",)),
        (r"S608", ("orm-bypass", "production")),
        (r"DTZ", ("schema", "auth", "production")),
        (r"S50[0-9]|S32[34]", ("connection", "auth")),
        (r"ASYNC|FAST|BLE|TRY|S110|S112", ("production", "isolation", "pooling")),
        (r"S", ("production", "auth")),
    ],
    "bandit": [
        (r"B10[567]", ("secret",)),
        (r"B608|B610|B611", ("orm-bypass", "production")),
        (r"B50[0-9]|B32[34]", ("connection", "auth")),
        (r"B", ("production", "auth")),
    ],
    "squawk": [
        (r"prefer-(?:text|big-?int|identity|timestamp)|ban-char", ("schema", "migration")),
        (r"", ("migration",)),
    ],
    "pgrls": [(r"PERF", ("schema", "isolation")), (r"", ("isolation",))],
}  # fmt: skip
"""What a finding counts as, by the first pattern that its code begins with."""


@dataclass(frozen=True)
class Found:
    path: str
    line: int
    category: str


@dataclass(frozen=True)
class Missing:
    why: str


Read = Callable[[Path], list[Found]]


def tools(folder: Path) -> dict[str, Read | Missing]:
    """Give every tool, ready to read a work tree, or why it cannot."""
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    lint = SECRETLINT / "node_modules" / "secretlint" / "bin" / "secretlint.js"
    secretlint = partial(_secretlint, [str(node), str(lint)]) if node and lint.exists() else None
    installed = f"not installed: npm ci --prefix {SECRETLINT} --ignore-scripts"
    return {
        "neondba": partial(_neondba, [sys.executable, "-m", "neondba"]),
        "detect-secrets": _tool(folder, "detect-secrets", _detect_secrets),
        "secretlint": secretlint or Missing(installed),
        "squawk": _tool(folder, "squawk", _squawk),
        "squawk in transaction": _tool(folder, "squawk", partial(_squawk, "--assume-in-transaction")),
        "ruff": partial(_ruff, [sys.executable, "-m", "ruff"]),
        "bandit": partial(_bandit, [sys.executable, "-m", "bandit"]),
        "pgrls": _tool(folder, "pgrls", _pgrls),
    }  # fmt: skip


def _tool(folder: Path, name: str, read: Callable[..., list[Found]]) -> Read | Missing:
    place = shutil.which(name, path=f"{folder}{os.pathsep}{os.environ['PATH']}")
    if place is None:
        return Missing("not installed: see the head of bench/labels.py")
    if isinstance(read, partial):
        return partial(read.func, [place], *read.args)
    return partial(read, [place])


def _json(command: list[str], folder: Path) -> Any:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        sys.exit(f"{command[0]} gave no JSON on {folder}: {done.stderr.strip()[-300:]}")


def _counted(tool: str, path: str, line: int, code: str) -> Iterator[Found]:
    for pattern, categories in CATEGORIES[tool]:
        if re.match(pattern, code):
            yield from (Found(path, line, category) for category in categories)
            return


def _neondba(command: list[str], tree: Path) -> list[Found]:
    said = _json([*command, "review", "--format", "json", "--no-cache", "."], tree)
    return [Found(f["path"], f["line"], f["category"]) for f in said["findings"]]


def _detect_secrets(command: list[str], tree: Path) -> list[Found]:
    said = _json([*command, "scan", "--all-files", "--exclude-files", r"(^|/)\.git/", "."], tree)
    rows = [(path, row["line_number"]) for path, rows in said["results"].items() for row in rows]
    return [Found(path.removeprefix("./"), line, "secret") for path, line in rows]


def _secretlint(command: list[str], tree: Path) -> list[Found]:
    rules = {"rules": [{"id": "@secretlint/secretlint-rule-preset-recommend"}]}
    with tempfile.TemporaryDirectory() as place:
        settings = Path(place, "secretlintrc.json")
        settings.write_text(json.dumps(rules))
        options = ["--secretlintrc", str(settings), "--format", "json", "--maskSecrets"]
        said = _json([*command, *options, "**/*", "**/.*", "**/.*/**", "!.git/**"], tree)
    return [
        Found(os.path.relpath(file["filePath"], tree.resolve()), message["loc"]["start"]["line"], "secret")
        for file in said
        for message in file["messages"]
    ]


def _sql(tree: Path) -> list[str]:
    return sorted(str(f.relative_to(tree)) for f in tree.rglob("*.sql") if ".git" not in f.parts)


def _squawk(command: list[str], *rest: Any) -> list[Found]:
    *options, tree = rest
    files = _sql(tree)
    if not files:
        return []
    said = _json([*command, *options, "--reporter", "json", *files], tree)
    return [f for row in said for f in _counted("squawk", row["file"], row["line"] + 1, row["rule_name"])]


def _ruff(command: list[str], tree: Path) -> list[Found]:
    options = ["check", "--isolated", "--no-cache", "--select", RUFF, "--output-format", "json", "."]
    said = _json([*command, *options], tree)
    places = [(os.path.relpath(row["filename"], tree.resolve()), row) for row in said]
    return [
        f for path, row in places for f in _counted("ruff", path, row["location"]["row"], row["code"] or "E")
    ]


def _bandit(command: list[str], tree: Path) -> list[Found]:
    said = _json([*command, "-q", "-r", ".", "-f", "json"], tree)
    rows = said["results"]
    return [
        f
        for row in rows
        for f in _counted("bandit", row["filename"].removeprefix("./"), row["line_number"], row["test_id"])
    ]


def _pgrls(command: list[str], tree: Path) -> list[Found]:
    files = _sql(tree)
    if not files:
        return []
    given = [part for file in files for part in ("--sql-file", file)]
    said = _json([*command, "lint", *given, "--format", "json"], tree)
    texts = {file: (tree / file).read_text(errors="replace") for file in files}
    return [
        f
        for row in said["violations"]
        for path, line in _statements(texts, row["location"])
        for f in _counted("pgrls", path, line, row["rule_id"])
    ]


def _statements(texts: dict[str, str], location: str) -> Iterator[tuple[str, int]]:
    """Give the places where what pgrls names is made: a policy, else a table's row-level security."""
    schema, _, rest = location.partition(".")
    table, _, policy = rest.partition(".")
    name = rf'(?:"?{re.escape(schema)}"?\s*\.\s*)?"?{re.escape(table)}"?'
    if policy:
        wanted = [rf'create\s+policy\s+"?{re.escape(policy)}"?\s+on\s+{name}\b']
    else:
        wanted = [
            rf"alter\s+table\s+(?:only\s+)?{name}\s+enable\s+row",
            rf"create\s+\w+\s+(?:\w+\s+)*?{name}\b",
        ]
    for pattern in wanted:
        places = [
            (path, text.count("\n", 0, match.start()) + 1)
            for path, text in texts.items()
            for match in re.finditer(pattern, text, re.IGNORECASE)
        ]
        if places:
            yield from places
            return
