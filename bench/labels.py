"""Hold neondba and the tools that people use today against the same hand labels, in one run.

    bench/labels.py LABELS CHECKOUTS [--tools FOLDER]

LABELS has one JSON object a line: repo, path, line, category, and `trap` where nothing is wrong.
CHECKOUTS has a work tree owner+name for each repo. A label is met by a finding of its category in its file
within three lines (for `env`: in its file); labels with one `group` in a repo count once; ambiguous labels
do not count. Recall is of the true labels; a trap that is met is a false alarm. A tool that finds nothing
alarms nobody: its traps are compared only where it finds something, or nobody has true labels.

The others are no dependencies of neondba. Install them into a folder of their own; one that is missing
is named and left out:

    python -m venv bench/support/.tools
    bench/support/.tools/bin/pip install -r bench/support/labels.txt
    npm ci --prefix bench/support/secretlint --ignore-scripts

What a tool's findings count as is decided in its favour (`CATEGORIES` in bench/support/peers.py):
whatever it says near a label of a category that it can speak of at all. squawk and pgrls read SQL
alone: they get the .sql files, and the labels in Alembic's Python stay unfound. pgrls names tables
and policies instead of lines: they count at the statement that makes them. It reads files here
(`--sql-file`); what it sees only in a live database is not measured.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from support.peers import OWN, Found, Missing, tools

SLACK = 3
Label = dict[str, object]


@dataclass
class Score:
    """What one tool met."""

    true: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    traps: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    said: int = 0

    def recall(self, category: str) -> float | None:
        return self.found[category] / self.true[category] if self.true[category] else None

    def alarms(self, category: str) -> float | None:
        return self.hit[category] / self.traps[category] if self.traps[category] else None


def is_met(label: Label, findings: list[Found]) -> bool:
    wanted = {label["category"], *label.get("also", [])}  # type: ignore[misc]
    return any(
        f.path == label["path"]
        and f.category in wanted
        and (label["category"] == "env" or abs(f.line - int(label["line"])) <= SLACK)  # type: ignore[call-overload]
        for f in findings
    )


def add(score: Score, labels: list[Label], findings: list[Found]) -> None:
    """Count one repository."""
    score.said += len(findings)
    groups: dict[object, bool] = {}
    for label in labels:
        category = str(label["category"])
        met = is_met(label, findings)
        if label.get("trap"):
            score.traps[category] += 1
            score.hit[category] += met
        else:
            key = (category, label.get("group") or (label["path"], label["line"], label["why"]))
            groups[key] = groups.get(key, False) or met
    for (category, _), met in groups.items():  # type: ignore[misc]
        score.true[category] += 1
        score.found[category] += met


def share(part: int, whole: int) -> str:
    return f"{part:3}/{whole:<3}{part / whole:5.0%}" if whole else "     -     "


def table(scores: dict[str, Score]) -> None:
    """Print recall and traps of every tool by category."""
    categories = sorted({c for s in scores.values() for c in (*s.true, *s.traps)})
    print(f"{'':12}" + "".join(f"{name:>28}" for name in scores))
    print(f"{'':12}" + f"{'found':>16}{'traps hit':>12}" * len(scores))
    for category in categories:
        cells = [
            f"{share(s.found[category], s.true[category]):>16}{share(s.hit[category], s.traps[category]):>12}"
            for s in scores.values()
        ]
        print(f"{category:12}" + "".join(cells))
    sums = [
        f"{share(s.found.total(), s.true.total()):>16}{share(s.hit.total(), s.traps.total()):>12}"
        for s in scores.values()
    ]
    print(f"{'all':12}" + "".join(sums))
    print(f"{'findings':12}" + "".join(f"{s.said:>28}" for s in scores.values()))


def duels(scores: dict[str, Score]) -> bool:
    """Say, for each tool's own categories, whether neondba is ahead in recall and in traps."""
    ahead = True
    ours = scores["neondba"]
    for name, theirs in scores.items():
        for category in OWN.get(name.partition(" ")[0], ()):
            more = standing(ours.recall(category), theirs.recall(category), better=1)
            if theirs.found[category] or theirs.hit[category] or not theirs.true[category]:
                fewer = standing(ours.alarms(category), theirs.alarms(category), better=-1)
            else:
                fewer = "not compared, for it finds nothing there"
            ahead = ahead and "behind" not in (more, fewer)
            print(f"neondba beside {name} in {category}: recall {more}, traps {fewer}")
    return ahead


def standing(ours: float | None, theirs: float | None, *, better: int) -> str:
    if ours is None or theirs is None:
        return "without labels"
    if ours == theirs:
        return "level"
    return "ahead" if (ours - theirs) * better > 0 else "behind"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path, nargs="?")
    parser.add_argument("checkouts", type=Path, nargs="?")
    parser.add_argument("--tools", type=Path, default=Path(__file__).parent / "support" / ".tools" / "bin")
    asked = parser.parse_args()
    if asked.checkouts is None:
        sys.exit("Left out: give the labels and the folder with their checkouts.")
    labels: dict[str, list[Label]] = defaultdict(list)
    for line in asked.labels.read_text().splitlines():
        label = json.loads(line)
        if not label.get("ambiguous"):
            labels[label["repo"]].append(label)
    scores: dict[str, Score] = {}
    for name, read in tools(asked.tools).items():
        if isinstance(read, Missing):
            print(f"{name} is left out: {read.why}")
            continue
        scores[name] = Score()
        for repo, wanted in sorted(labels.items()):
            tree = asked.checkouts / repo.replace("/", "+")
            if tree.is_dir():
                add(scores[name], wanted, read(tree))
            elif name == "neondba":
                print(f"{repo} has no checkout: left out")
    table(scores)
    held = duels(scores)
    print(f"bar, behind none in its own category (level is named above): {'holds' if held else 'MISSED'}")


if __name__ == "__main__":
    main()
