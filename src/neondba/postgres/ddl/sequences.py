"""How sequences count, as words of a statement."""

from __future__ import annotations

from typing import Final

from neondba.postgres.ddl.values import Sequence, SequenceOptions

LARGEST: Final = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
Counting = Sequence | SequenceOptions


def options(counting: Counting) -> list[str]:
    """Say in what a sequence differs from a plain `bigint` one that counts up."""
    up = counting.increment > 0
    largest = LARGEST[counting.type]
    lowest, highest = (1, largest) if up else (-largest - 1, -1)
    words = []
    if counting.increment != 1:
        words.append(f"INCREMENT BY {counting.increment}")
    if counting.minimum != lowest:
        words.append(f"MINVALUE {counting.minimum}")
    if counting.maximum != highest:
        words.append(f"MAXVALUE {counting.maximum}")
    if counting.start != (counting.minimum if up else counting.maximum):
        words.append(f"START WITH {counting.start}")
    if counting.cache != 1:
        words.append(f"CACHE {counting.cache}")
    return [*words, "CYCLE"] if counting.cycle else words


def changed_options(before: Counting, after: Counting) -> list[str]:
    """Say how a sequence is to count from now on, where it counted otherwise."""
    words = []
    if before.increment != after.increment:
        words.append(f"INCREMENT BY {after.increment}")
    if (before.minimum, before.type) != (after.minimum, after.type):
        words.append(f"MINVALUE {after.minimum}")
    if (before.maximum, before.type) != (after.maximum, after.type):
        words.append(f"MAXVALUE {after.maximum}")
    if before.start != after.start:
        words.append(f"START WITH {after.start}")
    if not after.minimum <= before.start <= after.maximum:
        # Where it stands is most likely outside of its new bounds as well, which Postgres refuses.
        words.append(f"RESTART WITH {after.start}")
    if before.cache != after.cache:
        words.append(f"CACHE {after.cache}")
    if before.cycle != after.cycle:
        words.append("CYCLE" if after.cycle else "NO CYCLE")
    return words
