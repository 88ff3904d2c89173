"""A rehearsal reads well in a terminal and as a comment, and nothing in it becomes markup."""

from __future__ import annotations

from neondba.migrations.rendering import markdown_of, text_of, volume
from neondba.migrations.results import (
    Direction,
    HeldBy,
    LoadSeen,
    Lock,
    Measured,
    Outcome,
    Prediction,
    Rehearsal,
    Reversibility,
    Run,
    SaferWay,
    Step,
)

INDEX = "create index i on item (name)"
WAY = SaferWay(
    instead_of=(INDEX,), why=("Build it with CONCURRENTLY.",), statements=("create index concurrently i …",),
    seconds=2.0, seconds_before=1.0, blocked=0.0, blocked_before=1.0,
)  # fmt: skip


def rehearsal(title: str = "add it", statements: int = 1) -> Rehearsal:
    one = Measured(
        text=INDEX, seconds=1.0, wal=2_500_000, rows=20_000,
        locks=(HeldBy(relation="public.item", mode="ShareLock", seconds=1.0),),
    )  # fmt: skip
    lock = Lock(
        relation="public.item", mode="ShareLock", blocks="writes wait", statement=INDEX, held=1.0,
        grows="until the index is built",
    )  # fmt: skip
    run = Run(
        direction=Direction.UP, outcome=Outcome.DONE, seconds=1.0, statements=statements,
        measured=(one,) * statements, locks=(lock,),
    )  # fmt: skip
    step = Step(
        revision="r1", title=title, path="m/r1.sql", reversibility=Reversibility.REVERSIBLE,
        sentences=("Up, down and up give the same schema.",), runs=(run,), safer=WAY,
        load=LoadSeen(statements=50, longest_before=0.01, longest=1.2, slow=2, waiting="update item"),
        prediction=Prediction(branch="main", seconds=10, blocked=10, basis="measured"),
    )  # fmt: skip
    return Rehearsal(config="m", tool="SQL files", server_version="18.6", steps=(step,), skipped=("r2",))


def test_a_lock_says_apart_what_it_waits_for_and_how_long_that_took() -> None:
    [lock] = rehearsal().steps[0].runs[0].locks
    assert lock.work == "public.item: writes wait until the index is built; the larger the table, the longer."
    assert lock.wait == "public.item: writes wait for 1.0 s."
    assert lock.sentence == f"{lock.work} Here it took 1.0 s."
    short = lock.model_copy(update={"grows": None, "held": 0.1})
    assert (short.work, short.wait) == (None, None)


def test_everything_that_was_seen_is_told() -> None:
    text = text_of(rehearsal())
    for said in (
        "writes wait until the index is built",
        "20000 rows stay locked",
        "No lock_timeout",
        "the longest wait was 1.20 s (before: 0.01 s)",
        "On main: about 10.0 s",
        "the same schema in 2.00 s instead of 1.00 s",
        "create index concurrently i …;",
        "1000 ms  2.5 MB log  20000 rows  create index i on item (name)",
        "r2  NOT REACHED",
    ):
        assert said in text


def test_markdown_begins_with_a_heading_and_has_a_row_for_each_statement() -> None:
    text = markdown_of(rehearsal())
    assert text.startswith("## Rehearsed migrations\n")
    assert "| 1000 ms | 2.5 MB | 20000 | ShareLock on public.item for 1.00 s | ` create index" in text
    assert "r2: not reached" in text


def test_names_do_not_become_markup() -> None:
    text = markdown_of(rehearsal("<img src=x> @everyone [a](b) `c` | d"))
    assert "<img" not in text.replace("\\<img", "")
    assert "@everyone" not in text
    assert "\\[a\\](b) \\`c\\` \\| d" in text


def test_a_long_comment_is_cut_at_a_line() -> None:
    many = rehearsal()
    long = many.model_copy(update={"steps": many.steps * 200})
    text = markdown_of(long)
    assert 50_000 < len(text) <= 60_000
    assert text.endswith("in the command's own output.\n")


def test_many_statements_are_counted() -> None:
    assert "… and 8 more statements" in text_of(rehearsal(statements=20))


def test_volumes_have_units() -> None:
    assert [volume(n) for n in (12, 1500, 2_000_000, 3_500_000_000)] == ["12 B", "1.5 kB", "2.0 MB", "3.5 GB"]
