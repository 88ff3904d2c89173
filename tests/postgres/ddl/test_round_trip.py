"""Whatever two schemas are, the script leads from one to the other, and back."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_schemas import build, mixed, pair, random_slots

from neondba.postgres.connect import Connection
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.ddl.schema import Schema, changes
from neondba.postgres.ddl.script import script
from neondba.postgres.ddl.statement import Script

ONCE_WRONG = (187, 447, 531, 787, 1128, 10503, 20551, 30005, 30026)
"""Found by `bench/diff.py`: each stands for another fault."""


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chance=st.integers(0, 10**9).map(Random), share=st.sampled_from((0.1, 0.3, 0.6, 1.0)))
def test_the_script_leads_from_any_schema_to_any_other_and_back(
    roles: None, session: Connection, run: Callable[[Script], Schema], chance: Random, share: float
) -> None:
    one, other = random_slots(chance), random_slots(chance)
    after = _made(session, mixed(one, other, chance, share))
    before = _made(session, one)
    there = run(script(before, after))
    assert changes(there, after) == []
    back = run(script(there, before))
    assert changes(back, before) == []
    assert back.fingerprint == before.fingerprint


@pytest.mark.parametrize("seed", ONCE_WRONG)
def test_pairs_that_once_went_wrong_go_right(
    roles: None, session: Connection, run: Callable[[Script], Schema], seed: int
) -> None:
    one, other = pair(seed)
    after, before = _made(session, other), _made(session, one)
    there = run(script(before, after))
    assert changes(there, after) == []
    assert changes(run(script(there, before)), before) == []


def _made(session: Connection, slots: dict[str, list[str]]) -> Schema:
    session.execute("drop owned by current_user cascade")
    build(session, slots)
    return schema_of(session)


def test_a_schema_survives_being_written_as_json(roles: None, session: Connection) -> None:
    found = _made(session, random_slots(Random(7)))
    again = Schema.model_validate_json(found.model_dump_json())
    assert again == found
    assert again.fingerprint == found.fingerprint
    assert script(found, again).statements == ()
