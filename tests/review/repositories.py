"""Small git repositories for tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

from neondba.core.context import Context
from neondba.core.settings import load
from neondba.review import operations as operations


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody, whoever runs the tests."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files, with their folders."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path, files: dict[str, str], message: str = "change") -> str:
    """Write files and commit all; give the commit's name."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


def context(folder: Path, state: Path) -> Context:
    """Give a context whose user stands in the folder."""
    settings = load({"state_dir": state}, environment={}, folder=folder)
    return Context(settings=settings, folder=folder)
