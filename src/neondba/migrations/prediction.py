"""How long a revision will take elsewhere, from what it took here and how large the tables are there."""

from __future__ import annotations

from collections.abc import Mapping

from neondba.migrations.results import BLOCKING, Measured, Prediction, Step
from neondba.migrations.second_pass import first_up
from neondba.postgres.connect import Connection, ask

Sizes = Mapping[str, int]


def sizes_of(session: Connection) -> dict[str, int]:
    """Give the bytes of each table."""
    return {str(row["name"]): int(row["bytes"]) for row in ask(session, "relation_sizes")}


def predicted(step: Step, branch: str, here: Sizes, there: Sizes | None) -> Prediction | None:
    """Compute it; without sizes from elsewhere, the copy is as large as the branch itself.

    Each statement that works on all rows of a table takes longer in the ratio of that table's sizes; of
    several tables the largest ratio counts. The others take as long as here.
    """
    statements = first_up(step)
    if not statements:
        return None
    factors = [_factor(one, here, there) for one in statements]
    seconds = [(one.seconds or 0.0) * factor for one, factor in zip(statements, factors, strict=True)]
    longest = 0.0
    for number, one in enumerate(statements):
        if any(lock.mode in BLOCKING for lock in one.locks):
            held = max(lock.seconds for lock in one.locks if lock.mode in BLOCKING)
            own = sum(other.seconds or 0.0 for other in statements[number:])
            # The lock is held to the end of its transaction: what grows in it, grows the wait.
            share = sum(seconds[number:]) / own if own else 1.0
            longest = max(longest, held * share)
    basis = (
        f"measured on a copy of its own data, {_amount(sum(here.values()))}"
        if there is None
        else "measured here, times the ratio of the tables' sizes: "
        + (", ".join(_ratios(statements, here, there)) or "none is worked through")
    )
    return Prediction(branch=branch, seconds=sum(seconds), blocked=longest, basis=basis)


def _factor(one: Measured, here: Sizes, there: Sizes | None) -> float:
    if there is None or not one.work:
        return 1.0
    return max([_ratio(table, here, there) for table in one.touches], default=1.0)


def _ratio(table: str, here: Sizes, there: Sizes) -> float:
    # Three pages are as good as nothing: below that, time does not follow size.
    return max(1.0, there.get(table, 0) / max(here.get(table, 0), 24_576))


def _ratios(statements: tuple[Measured, ...], here: Sizes, there: Sizes) -> list[str]:
    tables = dict.fromkeys(table for one in statements if one.work for table in one.touches)
    return [f"{table} {_amount(here.get(table, 0))} to {_amount(there.get(table, 0))}" for table in tables]


def _amount(count: int) -> str:
    from neondba.migrations.rendering import volume

    return volume(count)
