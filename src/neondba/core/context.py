"""What an operation is given: settings, time, chance, progress, consent."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from neondba.core.journal import Journal
from neondba.core.plan import Plan, PlannedOnly, Target
from neondba.core.problem import ConfirmationNeeded, Problem
from neondba.core.rehearsed import Rehearsals
from neondba.core.settings import Settings, load


class Clock:
    """Tell the time; tests pass one that they move."""

    def now(self) -> datetime:
        """Give the current moment in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def _nobody_listens(message: str, done: float | None) -> None:
    """Drop the progress."""


@dataclass
class Context:
    """Everything an operation may use of the world around it."""

    settings: Settings = field(default_factory=load)
    folder: Path = field(default_factory=Path.cwd)
    """Where the user stands: relative paths start here."""
    clock: Clock = field(default_factory=Clock)
    chance: random.Random = field(default_factory=random.SystemRandom)
    listener: Callable[[str, float | None], None] = _nobody_listens
    """Told of progress: a sentence, and the share done (0 to 1) where it is known."""
    dry_run: bool = False
    confirmation: str | None = None
    """Hash of the plan the user has agreed to."""
    ask: Callable[[Plan], bool] | None = None
    """Asks the user for consent where the surface can; `None` where nobody can be asked."""
    cancelled: Callable[[], bool] = field(default=lambda: False)
    console: Callable[[str], None] | None = None
    """Prints for the user at once, so that a child may have the standard streams too; `None` where the
    result is all that anybody sees."""
    feed: Callable[[str], bool] | None = None
    """Takes a series line by line as it comes, for a program that reads JSON; false when it reads no more."""

    @cached_property
    def journal(self) -> Journal:
        """The record of what was done."""
        return Journal(self.settings.state_dir / "journal.sqlite")

    @cached_property
    def rehearsals(self) -> Rehearsals:
        """What was rehearsed for which target."""
        return Rehearsals(self.settings.state_dir / "rehearsals.sqlite")

    def progress(self, message: str, done: float | None = None) -> None:
        """Say what is going on; raise `KeyboardInterrupt` when the user has cancelled."""
        if self.cancelled():
            raise KeyboardInterrupt
        self.listener(message, done)

    @contextmanager
    def carry_out(self, plan: Plan) -> Iterator[None]:
        """Run the body only with consent, and record what became of it.

        Raises:
            PlannedOnly: this is a dry run; the plan is the result.
            ConfirmationNeeded: the plan needs consent that names its hash.
            ArgumentProblem: the journal cannot be written, so nothing is begun.
        """
        if self.dry_run:
            raise PlannedOnly(plan)
        if plan.needs_confirmation:
            self._require_consent(plan)
        if plan.target != Target():
            # What touches nobody's data, as stopping our own server, must also work on a full disk.
            self.journal.check()
        outcome = "interrupted"
        try:
            yield
            outcome = "done"
        except Problem as problem:
            outcome = problem.code
            raise
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            self.journal.append(plan, outcome, self.clock.now())

    def _require_consent(self, plan: Plan) -> None:
        if self.confirmation == plan.hash:
            return
        if self.confirmation is None and self.ask is not None and self.ask(plan):
            return
        stale = self.confirmation is not None
        raise ConfirmationNeeded(
            "plan-changed" if stale else "confirmation-needed",
            f"The plan is no longer the one that was confirmed: it is now {plan.hash}."
            if stale
            else f"{plan.operation} waits for consent to plan {plan.hash}.",
            hint=f"Read the steps, then repeat the call with confirm = {plan.hash}.",
            plan=plan.model_dump(mode="json"),
            hash=plan.hash,
        )
