"""The facts we state are those that this PostgreSQL shows."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from neondba.postgres.facts import executed_facts
from neondba.postgres.scratch import scratch_server

SCRIPT = Path(__file__).parents[2] / "scripts" / "executed_facts.py"


def test_the_recorded_facts_are_what_the_server_shows() -> None:
    spec = importlib.util.spec_from_file_location("executed_facts_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    with scratch_server() as server:
        now = script.recorded(server)
    assert now == json.loads(script.FILE.read_text(encoding="utf-8"))


def test_well_known_false_facts_are_not_among_them() -> None:
    facts = executed_facts()
    statements = facts.statements
    assert statements["create-index"].writes_wait
    assert not statements["create-index"].reads_wait
    assert not statements["create-index-concurrently"].writes_wait
    assert not statements["add-column-constant-default"].rewrites
    assert statements["add-column-volatile-default"].rewrites
    assert not statements["alter-type-varchar-wider"].rewrites
    assert statements["alter-type-int-to-bigint"].rewrites
    assert statements["set-not-null"].scans
    assert not statements["set-not-null-with-valid-check"].scans
    assert statements["add-foreign-key"].lock == "ShareRowExclusiveLock"
    assert not facts.roles["bypassrls_is_inherited_through_membership"]
    assert facts.roles["owner_passes_by_without_force"]
    assert not facts.roles["owner_passes_by_with_force"]
