"""Points of a history as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neondba.branches.point import check_window, point_of
from neondba.branches.schedules import Every, item
from neondba.core.context import Clock, Context
from neondba.core.problem import ArgumentProblem
from neondba.core.settings import Settings
from neondba.neon.models import Branch, Project

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


class Standing(Clock):
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path), clock=Standing())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T07:00:00Z", NOW - timedelta(hours=1)),
        ("2026-11-22 07:00 UTC", NOW - timedelta(hours=1)),
        ("2026-11-22T08:00:00+02:00", NOW - timedelta(hours=2)),
        ("10m ago", NOW - timedelta(minutes=10)),
        ("1d12h AGO", NOW - timedelta(hours=36)),
        ("2026-11-22T08:00:01Z", NOW + timedelta(seconds=1)),
    ],
)
def test_times_are_read_with_their_zone(ctx: Context, text: str, moment: datetime) -> None:
    found = point_of(text, ctx)
    assert (found.lsn, found.timestamp) == (None, moment)


def test_how_long_ago_stands_in_a_plan_as_the_moment_that_it_means(ctx: Context) -> None:
    spoken = point_of("10m ago", ctx).spoken
    assert spoken == "as it was at 2026-11-22T07:50:00Z (10m ago; to confirm it later, give this time)"


def test_an_lsn_is_one_whatever_its_case(ctx: Context) -> None:
    found = point_of(" 0/1a2b3c8 ", ctx)
    assert (found.lsn, found.timestamp, found.spoken) == ("0/1A2B3C8", None, "at LSN 0/1A2B3C8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yesterday", "neither a time nor an LSN"),
        ("long ago", "neither a time nor an LSN"),
        ("", "neither a time nor an LSN"),
        ("2026-11-22 08:00", "has no time zone"),
        ("2999-01-01T00:00:00Z", "lies ahead"),
        ("'; drop table x; --", "neither a time nor an LSN"),
    ],
)
def test_a_point_that_nobody_can_read_is_said_so(ctx: Context, text: str, said: str) -> None:
    with pytest.raises(ArgumentProblem, match=said):
        point_of(text, ctx)


@pytest.mark.parametrize(
    ("every", "day", "keep"),
    [(Every.WEEKLY, 8, None), (Every.DAILY, 1, None), (Every.DAILY, None, timedelta(minutes=30))],
)
def test_a_turn_that_says_nothing_sensible_is_refused(
    every: Every, day: int | None, keep: timedelta | None
) -> None:
    with pytest.raises(ArgumentProblem):
        item(every, 3, day, keep)


@pytest.mark.parametrize(
    ("parent", "hours", "said"),
    [
        (None, 3, "main was made at 2026-11-22 06:00:00 UTC"),
        ("above", 30, "project shop keeps 1d of history"),
        (None, 1, ""),
        ("above", 3, ""),
    ],
)
def test_a_root_has_no_past_before_it_was_made(
    ctx: Context, parent: str | None, hours: int, said: str
) -> None:
    shop = Project(id="p", name="shop", created_at=NOW, history_retention_seconds=86_400)
    made = NOW - timedelta(hours=2)
    main = Branch(
        id="b", project_id="p", name="main", parent_id=parent, current_state="ready", created_at=made
    )
    point = point_of(f"{hours}h ago", ctx)
    if not said:
        check_window(point, shop, main, ctx)
        return
    with pytest.raises(ArgumentProblem, match=f"to confirm it later, give this time\\): {said}"):
        check_window(point, shop, main, ctx)
