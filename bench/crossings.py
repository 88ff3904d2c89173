"""`isolation walk` on applications beside what a reader found in them: found, missed, invented.

    python bench/crossings.py LISTS PROJECTS [--only NAME]... [--results FOLDER] [--again]

LISTS holds a Markdown file a project with a table `verdict | method | path | table | what`; PROJECTS a
folder for each, with `recipe.toml` (how it starts), its sources and its interpreter. --results keeps what a
proof said, --again reads that instead of proving. The exit status is the number of projects that disagree.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CROSSING = {"read", "write"}
NEONDBA = str(Path(sys.executable).parent / "neondba")
PATIENCE = 900
Route = tuple[str, str]


@dataclass
class Score:
    """How one proof agrees with one list."""

    name: str
    listed: dict[Route, set[str]]
    shown: dict[Route, str]
    why: dict[Route, str] = field(default_factory=dict)
    trouble: str = ""

    def _where(self, wanted: Sequence[str], verdicts: Sequence[str]) -> list[Route]:
        return sorted(
            route
            for route, kinds in self.listed.items()
            if kinds & set(wanted) and self.shown.get(route, "absent") in verdicts
        )

    @property
    def crossings(self) -> int:
        """Count the routes that cross by the list."""
        return sum(bool(kinds & CROSSING) for kinds in self.listed.values())

    @property
    def found(self) -> list[Route]:
        """Give the crossings that were shown."""
        return self._where(sorted(CROSSING), ["crossed"])

    @property
    def unreached(self) -> list[Route]:
        """Give the crossings that the proof says it did not reach."""
        return self._where(sorted(CROSSING), ["not reached", "absent"])

    @property
    def missed(self) -> list[Route]:
        """Give the crossings that the proof calls something better."""
        return self._where(sorted(CROSSING), ["bound", "by policy", "public", "nothing owned"])

    @property
    def invented(self) -> list[Route]:
        """Give the routes that were called crossed against the list."""
        clean = {r for r, kinds in self.listed.items() if not kinds & (CROSSING | {"unsure"})}
        return sorted(route for route in clean if self.shown.get(route) == "crossed")

    @property
    def unsure(self) -> list[Route]:
        """Give the routes that the reader left open, where the proof says crossed."""
        return self._where(["unsure"], ["crossed"])

    @property
    def unlisted(self) -> list[Route]:
        """Give the routes that the list forgot."""
        return sorted(self.shown.keys() - self.listed.keys())

    @property
    def reached(self) -> int:
        """Count the routes that the proof has something to say about."""
        return sum(verdict != "not reached" for verdict in self.shown.values())

    @property
    def agrees(self) -> bool:
        """Say whether every crossing was shown and none was made up."""
        return not (self.trouble or self.missed or self.unreached or self.invented)


def listed_in(text: str) -> dict[Route, set[str]]:
    """Read the table of a list."""
    found: dict[Route, set[str]] = defaultdict(set)
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) >= 4 and cells[1].isupper():
            found[(cells[1], cells[2])].add(cells[0])
    return dict(found)


def words_for(recipe: dict[str, Any], place: Path) -> list[str]:
    """Give the command that proves one project, as its user would write it."""
    words = [NEONDBA, "isolation", "walk", ".", "--python", str(place / recipe["python"]), "--format", "json"]
    return [*words, *recipe.get("walk", {}).get("arguments", [])]


def proven(recipe: dict[str, Any], place: Path, state: Path) -> tuple[dict[str, Any], str]:
    """Prove one project; give the result, or what was said instead."""
    done = subprocess.run(
        words_for(recipe, place),
        cwd=place / recipe["folder"],
        env={**os.environ, "NEONDBA_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    with contextlib.suppress(json.JSONDecodeError):
        return json.loads(done.stdout), ""
    said = (done.stderr or done.stdout).strip().splitlines()
    return {}, (said[-1] if said else f"exit {done.returncode}")


def scored(name: str, lists: Path, result: dict[str, Any], trouble: str) -> Score:
    """Compare one result with one list."""
    listed = listed_in((lists / f"{name}.md").read_text())
    inner = result.get("application") if isinstance(result.get("application"), dict) else result
    routes = (inner or {}).get("routes", [])
    shown = {(r["method"], r["path"]): r["verdict"] for r in routes}
    return Score(name, listed, shown, {(r["method"], r["path"]): r["why"] for r in routes}, trouble)


def show(score: Score) -> None:
    """Print one line, and below it every route in question."""
    print(
        f"{score.name:10} {len(score.shown):3} routes {score.reached:3} reached "
        f"{score.crossings:3} crossings: "
        f"{len(score.found):3} found {len(score.missed):3} missed {len(score.unreached):3} not reached "
        f"{len(score.invented):3} invented  {len(score.unsure):2} of the open ones crossed"
    )
    if score.trouble:
        print(f"{'':10} - {score.trouble}")
    for kind in ("missed", "unreached", "invented", "unsure", "unlisted"):
        for route in getattr(score, kind):
            print(f"{'':10} - {kind}: {route[0]} {route[1]}: {score.why.get(route, '')[:110]}")
    sys.stdout.flush()


def show_labels(path: Path, scores: Sequence[Score]) -> None:
    """Print, for each hand label that a route reaches, what the proof says of the route."""
    shown = {score.name: score.shown for score in scores}
    for line in path.read_text().splitlines():
        name, label, kind, method, route = line.split("\t")
        if name in shown:
            said = shown[name].get((method, route), "not in its document") if method != "-" else route
            agrees = "-" if method == "-" or said in ("not reached", "not in its document") else "agrees"
            agrees = "DISAGREES" if said == "crossed" and kind == "trap" else agrees
            print(f"{agrees:10} {name:10} {kind:9} {label}: {method} {route}: {said}")


def main() -> int:
    """Prove every project that has a list and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("lists", type=Path)
    parser.add_argument("projects", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--results", type=Path)
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    scores = []
    with tempfile.TemporaryDirectory(prefix="crossings-") as work:
        state, kept = Path(work) / "state", (given.results or Path(work)).absolute()
        kept.mkdir(parents=True, exist_ok=True)
        try:
            for path in sorted(given.projects.absolute().glob("*/recipe.toml")):
                name = path.parent.name
                if (given.only and name not in given.only) or not (given.lists / f"{name}.md").is_file():
                    continue
                answer = kept / f"{name}.json"
                trouble = ""
                if not (given.again and answer.is_file()):
                    result, trouble = proven(tomllib.loads(path.read_text()), path.parent, state)
                    answer.write_text(json.dumps(result, indent=1))
                scores.append(scored(name, given.lists, json.loads(answer.read_text()), trouble))
                show(scores[-1])
        finally:
            stopping = {**os.environ, "NEONDBA_STATE_DIR": str(state)}
            subprocess.run(
                [NEONDBA, "local", "stop", "--quiet"], env=stopping, check=False, capture_output=True
            )
    routes, reached = sum(len(s.shown) for s in scores), sum(s.reached for s in scores)
    print(
        f"{'all':10} {routes:3} routes {reached:3} reached  {sum(s.crossings for s in scores):3} crossings: "
        f"{sum(len(s.found) for s in scores):3} found {sum(len(s.missed) for s in scores):3} missed "
        f"{sum(len(s.unreached) for s in scores):3} not reached "
        f"{sum(len(s.invented) for s in scores):3} invented"
    )
    if (given.lists / "labels.tsv").is_file():
        show_labels(given.lists / "labels.tsv", scores)
    return sum(not score.agrees for score in scores)


if __name__ == "__main__":
    sys.exit(main())
