"""Which git branches there are, and whether this clone can know it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neondba.project.git import git

_FETCHED: Final = re.compile(r"^[0-9a-f]{40,64}\t[^\t]*\tbranch '(.+)' of ", re.MULTILINE)


@dataclass(frozen=True)
class GitBranches:
    """The branches of a repository, here and where it is fetched from."""

    names: frozenset[str] = frozenset()
    current: str | None = None
    as_of: datetime | None = None
    """When the remote was last asked for all of its branches; `None` where there is no remote."""
    unknown: str | None = None
    """Why the names are not all of them."""


def git_branches(folder: Path) -> GitBranches:
    """Ask the repository that a folder belongs to; nothing is fetched."""
    refs = _lines(folder, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
    if refs is None:
        return GitBranches(unknown="there is no git repository here")
    shown = next(iter(_lines(folder, "symbolic-ref", "--quiet", "--short", "HEAD") or []), None)
    remotes = _lines(folder, "remote") or []
    local = {ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")}
    if not remotes:
        return GitBranches(frozenset(local), shown)
    far = {name: _under(refs, name) for name in remotes}
    names = frozenset(local.union(*far.values()))
    if _lines(folder, "rev-parse", "--is-shallow-repository") == ["true"]:
        return GitBranches(names, shown, unknown="this clone is shallow (git fetch --unshallow)")
    whole = [name for name in remotes if _fetches_all(folder, name)]
    if not whole:
        return GitBranches(names, shown, unknown="this clone fetches only some branches")
    as_of = _last_fetch(folder, {name: far[name] for name in whole})
    unknown = None if as_of else "it cannot be told when this clone was last fetched (git fetch --prune)"
    return GitBranches(names, shown, as_of, unknown)


def _under(refs: list[str], remote: str) -> set[str]:
    prefix = f"refs/remotes/{remote}/"
    return {ref.removeprefix(prefix) for ref in refs if ref.startswith(prefix)} - {"HEAD"}


def _fetches_all(folder: Path, remote: str) -> bool:
    specs = _lines(folder, "config", "--get-all", f"remote.{remote}.fetch") or []
    return any(spec.lstrip("+").startswith("refs/heads/*:") for spec in specs)


def _last_fetch(folder: Path, remotes: dict[str, set[str]]) -> datetime | None:
    """Say when all branches were last seen: at the last whole fetch, else when the clone was made."""
    places = _lines(folder, "rev-parse", "--absolute-git-dir") or []
    common = _lines(folder, "rev-parse", "--path-format=absolute", "--git-common-dir") or []
    moments = []
    for place in map(Path, dict.fromkeys([*places, *common])):
        head = place / "FETCH_HEAD"
        fetched = set(_FETCHED.findall(_text(head)))
        # A fetch of one branch writes this file too; it says nothing about the others.
        if any(fetched >= there for there in remotes.values()) and fetched:
            moments.append(head.stat().st_mtime)
        made = [place / "refs" / "remotes" / name / "HEAD" for name in remotes]
        moments += [each.stat().st_mtime for each in made if each.is_file()]
    return datetime.fromtimestamp(max(moments), UTC) if moments else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _lines(folder: Path, *arguments: str) -> list[str] | None:
    said = git(folder, *arguments)
    return said.decode(errors="surrogateescape").splitlines() if said is not None else None
