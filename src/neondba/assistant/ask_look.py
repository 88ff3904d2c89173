"""Look at the asker's project before answering: read its files, and its servers only when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from neondba import capabilities
from neondba.assistant.ask_results import Looked
from neondba.core.context import Context
from neondba.core.operation import find
from neondba.core.problem import Problem

PATIENCE: Final = 1.5
"""Seconds from the question on that an answer waits for what is read from files."""
LEAST: Final = 0.3
"""The same where the question itself took long, as the first one does on a slow machine."""
PATIENCE_SERVERS: Final = 20.0
MOST: Final = 4
"""Findings that are shown."""
CATEGORIES: Final = {
    "neon-serverless-postgres-fundamentals": ("connection", "pooling"),
    "neon-getting-started-account-connection": ("secret", "env", "connection"),
    "neon-authentication-security": ("secret", "isolation", "auth", "orm-bypass"),
    "neon-branching-workflows": ("migration", "env"),
    "neon-connection-pooling": ("pooling", "connection"),
    "neon-console-management-monitoring": ("production",),
    "neon-data-import-export": ("schema",),
    "neon-fastapi-sqlmodel": ("connection", "pooling", "isolation", "schema"),
    "neon-monitoring-cost-optimization": ("production", "pooling"),
    "neon-prisma-orm": ("migration", "connection", "pooling"),
    "neon-advanced-features": ("production",),
    "neon-production-deployment": ("production", "migration", "secret", "env"),
}
"""Which findings of a review concern a skill."""


@dataclass
class Sight:
    """What was seen, and what was not looked at and why."""

    looked: list[Looked]
    open: list[str]


def look(ctx: Context, skill: str, wanted: tuple[str, ...], *, servers: bool, since: float) -> Sight:
    """Run what concerns the question; whatever takes too long is left and named.

    `since` is the moment of the question, in seconds of the context's clock.
    """
    sight = Sight([], [])
    left = PATIENCE - (ctx.clock.monotonic() - since)
    review = _within(max(left, LEAST), ctx, _reviewed)
    if isinstance(review, Problem):
        sight.open.append(f"your files: {review.message}")
    elif review is None:
        sight.open.append("your files: reading them takes longer than an answer waits; neondba review .")
    else:
        sight.looked.append(_of_review(review, CATEGORIES.get(skill, ())))
    others = [each for each in wanted if each not in ("review", "isolation.map")]
    if others and servers:
        capabilities.load()
    for name in others:
        command = " ".join(["neondba", *name.replace("_", "-").split(".")])
        if not servers:
            sight.open.append(f"your branches and computes: {command}, or ask again with --look")
            continue
        found = _within(PATIENCE_SERVERS, ctx, partial(_called, name))
        if isinstance(found, Problem):
            sight.open.append(f"{command}: {found.message}")
        elif found is None:
            sight.open.append(f"{command}: no answer within {PATIENCE_SERVERS:g} s")
        else:
            sight.looked.append(Looked(operation=command, seen=_lines(found)))
    return Sight(sight.looked, list(dict.fromkeys(sight.open)))


def _reviewed(ctx: Context) -> Any:
    # Straight from its room: a command line that loads every operation first is a second slower.
    from neondba.review.operations import review

    return review(ctx)


def _called(name: str, ctx: Context) -> Any:
    return find(name).call(ctx, {})


def _within(seconds: float, ctx: Context, call: Callable[[Context], Any]) -> Any:
    """Give a result or a problem; `None` if it is not there in time, and cancel it then."""
    over = threading.Event()
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(call(replace(ctx, cancelled=over.is_set, ask=None, confirmation=None)))
        except Problem as problem:
            found.append(problem)
        except KeyboardInterrupt:
            pass

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(seconds)
    over.set()
    return found[0] if found else None


def _of_review(review: Any, categories: tuple[str, ...]) -> Looked:
    concern = [each for each in review.findings if each.category.value in categories]
    concern.sort(key=lambda each: each.severity.rank)
    seen = [f"{each.path}:{each.line}  {each.message} [{each.rule}]" for each in concern[:MOST]]
    if len(concern) > MOST:
        seen.append(f"and {len(concern) - MOST} more: neondba review .")
    if not seen:
        files = f"{review.files} file{'s' * (review.files != 1)}"
        seen = [f"{files} read; nothing that concerns this question."]
    return Looked(operation="neondba review .", seen=tuple(seen))


def _lines(result: Any) -> tuple[str, ...]:
    """Give the first lines of a result as it is shown in a terminal."""
    text = result.as_text(96) if hasattr(result, "as_text") else str(result)
    return tuple(line.strip() for line in text.splitlines() if line.strip())[:6]
