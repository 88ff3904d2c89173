"""The facts we state are those that real servers show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import facts as script
import pytest

from neondba.core.problem import NotFoundProblem
from neondba.postgres.facts import fact, facts, listed, releases

ROOT = Path(__file__).parents[2]
CITED = re.compile(r"\bfact:([a-z0-9]+(?:-[a-z0-9]+)*)")


@pytest.mark.parametrize("major", [major for major in script.majors() if major in releases()])
def test_the_recorded_facts_are_what_the_server_shows(major: int) -> None:
    known = json.loads((script.RECORDED / f"{major}.json").read_text(encoding="utf-8"))
    assert script.recorded(major)["facts"] == known["facts"]


def test_each_case_is_recorded_on_each_release() -> None:
    assert {18, 15} <= set(releases())
    for release in releases():
        assert list(facts(release)) == sorted(script.cases())


def test_what_guides_claim_is_false() -> None:
    assert not fact("add-column-default-now").rewrites
    assert fact("add-column-default-clock-timestamp").rewrites
    assert fact("set-not-null-not-valid").error == "42601"
    assert fact("validate-not-null-on").error == "42601"
    assert fact("add-check-not-valid").locks == {"item": "AccessExclusiveLock"}
    both = {"item": "ShareRowExclusiveLock", "owner": "ShareRowExclusiveLock"}
    assert fact("add-foreign-key-not-valid").locks == both
    assert fact("add-not-null-not-valid").reads_wait
    assert fact("drop-trigger").reads_wait
    assert not fact("alter-type-timestamp-to-timestamptz-utc").rewrites
    assert fact("alter-type-timestamp-to-timestamptz-elsewhere").rewrites
    assert fact("foreign-key-from-partitioned").error is None
    assert fact("on-conflict-partial-unique-index").values() == ["1"]
    assert fact("identity-column-has-no-nextval-default").values() == ["True"]
    assert fact("set-with-parameter").error == "42601"
    assert fact("set-config-with-parameter").error is None


def test_a_fact_says_who_waits_and_whether_for_long() -> None:
    index = fact("create-index")
    assert (index.writes_wait, index.reads_wait, index.blocks) == (True, False, True)
    assert not fact("create-index-concurrently").writes_wait
    assert not fact("create-index-concurrently").in_transaction
    assert fact("add-column").reads_wait
    assert not fact("add-column").blocks
    assert "AccessExclusive" in fact("add-column").seen


def test_a_list_of_functions_holds_what_any_release_knows() -> None:
    assert {"gen_random_uuid", "clock_timestamp", "nextval", "random"} <= listed("volatile-functions")
    assert not {"now", "current_setting", "lower"} & listed("volatile-functions")


def test_an_unknown_fact_or_release_is_refused() -> None:
    with pytest.raises(NotFoundProblem, match="no fact nothing"):
        fact("nothing")
    with pytest.raises(NotFoundProblem, match="PostgreSQL 9"):
        fact("add-column", 9)


def test_every_fact_that_is_cited_exists() -> None:
    cited = {
        (path.name, name)
        for folder in ("src/neondba", "docs", "facts", "tests/review")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".md") and not path.is_symlink()
        for name in CITED.findall(path.read_text(encoding="utf-8"))
    }
    assert cited
    assert [c for c in sorted(cited) if c[1] not in facts()] == []
