"""Ask git about a repository that nobody has vouched for: its settings run nothing.

A repository's own `.git/config` can name programs: a file system monitor, hooks, external diffs, remote
helpers for missing objects. Every call here overrides them, and only commands are used that apply no
filters and no text conversions (`ls-files`, `ls-tree`, `rev-parse`, `merge-base`, `cat-file --batch`).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=",
    "core.askPass=",
    "core.sshCommand=false",
    "diff.external=",
    "credential.helper=",
    # In a container the checkout often belongs to another user; with the above nothing of theirs runs.
    "safe.directory=*",
)
"""What is set over the repository's own settings."""

KEPT = frozenset(
    {
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_EXEC_PATH",
    }
)
"""Variables of git that keep their meaning; others, as those that a hook sets, would mean another place."""

OURS = {
    # No protocol is called so: objects that a partial clone lacks are not fetched.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}


def git(folder: Path, *arguments: str) -> bytes | None:
    """Run a git command that only reads; `None` when it fails or there is no git."""
    return run(folder, *arguments)[0]


def run(folder: Path, *arguments: str) -> tuple[bytes | None, str]:
    """Run a git command that only reads; give its output, else `None` and git's own words."""
    try:
        done = subprocess.run(
            command(folder, *arguments), capture_output=True, check=False, timeout=60, env=environment(),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        return None, "git is not installed"
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, type(error).__name__
    if done.returncode == 0:
        return done.stdout, ""
    said = done.stderr.decode(errors="replace").strip().split("\n")
    return None, said[0].removeprefix("fatal: ")


def command(folder: Path, *arguments: str) -> list[str]:
    """Give the command line for a git command in a folder."""
    settings = [part for one in SETTINGS for part in ("-c", one)]
    return ["git", "-C", str(folder), *settings, "--no-pager", *arguments]


def environment() -> dict[str, str]:
    """Give the variables that git is started with."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in KEPT}
    return {**inherited, **OURS}
