"""What a change introduced: the review of the merge base, held against the review of now."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.project.git import git
from neondba.project.tree import Tree
from neondba.review.finding import Reported
from neondba.review.identity import Trace

ALIKE = 0.5
"""Share of lines that two files have in common when one is the other under a new name; git's own limit."""

DEEPER = "fetch-depth: 0 in actions/checkout; elsewhere: git fetch --unshallow"


def merge_base(folder: Path, base: str, head: str) -> str:
    """Give the commit from which `head` left `base`.

    Raises:
        NotFoundProblem: there is no such revision.
        ArgumentProblem: the folder is no repository, or its history does not reach back to the base.
    """
    if git(folder, "rev-parse", "--git-dir") is None:
        raise ArgumentProblem(
            "not-a-repository",
            f"{folder} is not in a git repository, so nothing can be compared with {base}.",
            hint="Leave --base out, or accept today's findings: neondba review --write-baseline",
        )
    shallow = (git(folder, "rev-parse", "--is-shallow-repository") or b"").strip() == b"true"
    known = git(folder, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}")
    if known is None:
        raise NotFoundProblem(
            "revision-not-found",
            f"{folder} has no git revision {base}"
            + (": only part of its history is here." if shallow else "."),
            hint=f"Fetch it: {DEEPER}" if shallow else f"git fetch origin {base}, or see git branch --all",
        )
    found = git(folder, "merge-base", known.decode().strip(), head)
    if found is None:
        raise ArgumentProblem(
            "history-too-short" if shallow else "no-common-history",
            f"The history that is here does not reach back to where {head} left {base}."
            if shallow
            else f"{head} and {base} have no common history.",
            hint=f"Fetch all of it: {DEEPER}" if shallow else "Name a revision that the change started from.",
        )
    return found.decode().strip()


def renames(before: Tree, now: Tree, paths: Sequence[str]) -> Mapping[str, str]:
    """Lead from former names of files with findings to present ones, by the lines they share."""
    gone = [p for p in dict.fromkeys(paths) if p not in set(now.paths)]
    added = [p for p in now.paths if p not in set(before.paths)] if gone else []
    found: dict[str, str] = {}
    for path in gone:
        candidates = [p for p in added if p.rpartition(".")[2] == path.rpartition(".")[2]]
        likeness = {p: _alike(before.text(path) or "", now.text(p) or "") for p in candidates}
        best = max(candidates, key=lambda p: likeness[p], default="")
        if best and likeness[best] >= ALIKE:
            found[path] = best
            added.remove(best)
    return found


def _alike(one: str, other: str) -> float:
    first, second = [{line.strip() for line in text.split("\n")} - {""} for text in (one, other)]
    return len(first & second) / max(len(first), len(second), 1)


Lines = tuple[int, int]


class Nearness:
    """Whether a rewritten line stands where a former one stood, by the difference of the two files."""

    def __init__(self, before: Tree, now: Tree, renamed: Mapping[str, str]) -> None:
        self._before, self._now = before, now
        self._former = {new: old for old, new in renamed.items()}
        self._blocks = cache(self._compared)

    def __call__(self, trace: Trace, finding: Reported) -> bool:
        """Tell whether both lines lie in one block that was rewritten, or kept."""
        return any(
            first[0] <= trace.line <= first[1]
            and second[0] <= finding.line <= second[1]
            and (rewritten or trace.line - first[0] == finding.line - second[0])
            for rewritten, first, second in self._blocks(finding.path)
        )

    def _compared(self, path: str) -> list[tuple[bool, Lines, Lines]]:
        """Give pairs of line ranges that stand for each other, and whether they differ."""
        old = (self._before.text(self._former.get(path, path)) or "").split("\n")
        new = (self._now.text(path) or "").split("\n")
        steps = difflib.SequenceMatcher(None, old, new, autojunk=len(old) > 3000).get_opcodes()
        return [
            (kind == "replace", (a1 + 1, a2), (b1 + 1, b2))
            for kind, a1, a2, b1, b2 in steps
            if kind in ("replace", "equal")
        ]
