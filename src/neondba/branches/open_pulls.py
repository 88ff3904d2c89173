"""Which pull requests are open: as the user says, and as GitHub's own variables say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from neondba.core.problem import ArgumentProblem

_NUMBERS: Final = re.compile(r"#?[0-9]{1,10}(?:[\s,]+#?[0-9]{1,10})*")


@dataclass(frozen=True)
class OpenPulls:
    """The open pull requests."""

    numbers: frozenset[int] | None = None
    """`None` where nobody has said which are open."""
    heads: frozenset[str] = frozenset()
    """Git branches that open pull requests come from."""


@dataclass(frozen=True)
class PullRequest:
    """The pull request that a workflow runs for."""

    number: int
    head: str
    """Its git branch."""
    is_open: bool
    from_fork: bool


def open_pulls(said: Iterable[str] | None, running_for: PullRequest | None = None) -> OpenPulls:
    """Take numbers, git branches, or the word `none`, in any number of texts.

    An empty text is refused: it is what a failed command leaves, and would make every pull request a
    closed one.

    Raises:
        ArgumentProblem: a text is empty.
    """
    numbers: set[int] | None = None
    heads: set[str] = set()
    for text in said or ():
        numbers = numbers or set()
        if not text.strip():
            raise ArgumentProblem(
                "open-pr-empty",
                "--open-pr was given nothing: that is what a command that failed leaves.",
                hint="Where no pull request is open, say so: --open-pr none",
            )
        if _NUMBERS.fullmatch(text.strip()):
            numbers |= {int(each) for each in re.findall("[0-9]+", text)}
        elif text.strip() != "none":
            heads.add(text.strip())
    if running_for is not None and running_for.is_open:
        heads.add(running_for.head)
        numbers = numbers | {running_for.number} if numbers is not None else None
    return OpenPulls(frozenset(numbers) if numbers is not None else None, frozenset(heads))


def from_github(environment: Mapping[str, str]) -> PullRequest | None:
    """Give the pull request of the workflow that we run in, if it is one's."""
    if environment.get("GITHUB_ACTIONS") != "true" or not environment.get("GITHUB_EVENT_PATH"):
        return None
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        found: dict[str, Any] = event["pull_request"]
        head, base = found["head"], found["base"]
        return PullRequest(
            number=int(found["number"]),
            head=str(head["ref"]),
            is_open=found.get("state") == "open",
            from_fork=(head.get("repo") or {}).get("full_name") != base["repo"]["full_name"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
