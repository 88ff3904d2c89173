"""The table of facts: it is what the documents say, and every route stands in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from neondba.local.api.routes import everything, routes
from neondba.local.contract.table import operations, raw

ROOT = Path(__file__).parents[3]
ALIASES = {"getProjectBranchRolePasswordByPost", "setPrimaryProjectBranch"}


def test_the_table_is_what_the_documents_say():
    script = ROOT / "scripts" / "contract.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_table_holds_no_prose():
    def texts(value):
        if isinstance(value, dict):
            assert not {"description", "example", "examples", "title"} & {
                key for key, each in value.items() if isinstance(each, str)
            }
            for each in value.values():
                yield from texts(each)
        elif isinstance(value, list):
            for each in value:
                yield from texts(each)
        elif isinstance(value, str):
            yield value

    assert [text for text in texts(raw()) if text.count(" ") > 1] == []


def test_every_route_is_an_operation_of_the_document():
    known = {(each.id, each.method, each.path) for each in operations().values()}
    strange = [
        route.operation_id
        for route in routes()
        if (route.operation_id, route.method, route.path) not in known and route.operation_id not in ALIASES
    ]
    assert strange == []


def test_every_route_answers_with_a_status_of_the_document():
    table = operations()
    wrong = [
        route.operation_id
        for route in routes()
        if route.operation_id in table
        and not table[route.operation_id].newer
        and str(route.status) not in table[route.operation_id].responses
    ]
    assert wrong == []


def test_every_operation_of_the_document_is_answered():
    assert {route.operation_id for route in everything()} >= set(operations())
