"""Anonymised branches: a copy of the parent's data in which columns are masked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from neondba.core.problem import Problem
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.control import changes, masking
from neondba.local.control.actions import anonymize
from neondba.local.state import masking as states
from neondba.local.state.masking import MaskingRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, OperationRow

PROJECT: Final = "/projects/{project_id}"
ONE: Final = PROJECT + "/branches/{branch_id}"
STARTABLE: Final = (states.INITIALIZED, states.ERROR, states.ANONYMIZED)
MOST_RULES: Final = 5000


@answers(
    "POST",
    PROJECT + "/branch_anonymized",
    "createProjectBranchAnonymized",
    201,
    says="Creates a branch whose columns are masked by rules, at once with `start_anonymization`.",
    differs="The masking functions are ours, under Anonymizer's names, and gone after the masking.",
)
def create_anonymized(call: Call) -> dict[str, Any]:
    """Create a branch that is to be masked."""
    from neondba.local.api import branches

    rules, start = _rules(call), bool(call.body.get("start_anonymization", False))
    if start and not rules:
        raise Refusal(400, "start_anonymization needs masking_rules: there is nothing to mask")
    inside = replace(call, body=call.part("branch_create"))
    if (inside.part("branch").get("init_source") or "parent-data") != "parent-data":
        raise Refusal(400, "an anonymized branch needs its parent's data: leave init_source out")

    def also(rows: Rows, branch: BranchRow) -> list[OperationRow]:
        now = branch.created_at
        rows.add(MaskingRow(branch_id=branch.id, rules=json.dumps(rules), created_at=now, updated_at=now))
        steps = ("initialize", "anonymize") if start else ("initialize",)
        return [_operation(rows, branch, now, step) for step in steps]

    return branches.with_data(inside, also)


@answers("GET", ONE + "/masking_rules", "getMaskingRules", says="Lists an anonymized branch's masking rules.")
def get_rules(call: Call) -> dict[str, Any]:
    """List a branch's masking rules."""
    with call.plane.state.read() as rows:
        return {"masking_rules": _row(call, rows).listed()}


@answers(
    "PATCH",
    ONE + "/masking_rules",
    "updateMaskingRules",
    says="Replaces an anonymized branch's masking rules.",
    differs="Rules that do not fit the branch's tables answer 400 and say which names there are.",
)
def update_rules(call: Call) -> dict[str, Any]:
    """Replace a branch's masking rules; they are planned against its tables first."""
    if not isinstance(call.body.get("masking_rules"), list):
        raise Refusal(400, "masking_rules is required")
    rules = _rules(call)
    with call.plane.state.read() as rows:
        branch, _ = call.branch(rows), _row(call, rows)
    call.plane.worker.wait(call.plane.lock_wait, branch_id=branch.id)
    if rules:
        try:
            # Such a branch may have no endpoint: nothing else keeps its compute awake.
            with call.plane.computes.kept(branch.timeline_id) as compute:
                anonymize.check(compute, [masking.read(each) for each in rules])
        except Problem as problem:
            raise Refusal(400, problem.message) from None
    with call.locked() as rows:
        row = _row(call, rows)
        row.rules, row.updated_at = json.dumps(rules), call.now
        if row.state == states.INITIALIZATION_ERROR:
            row.state, row.status_message, row.failed_at = states.INITIALIZED, None, None
    return {"masking_rules": rules}


@answers(
    "POST",
    ONE + "/anonymize",
    "startAnonymization",
    says="Masks an anonymized branch by its rules: one transaction for each database.",
    differs="History before it is dropped: no restore, branch or connection reaches unmasked rows.",
)
def start_anonymization(call: Call) -> dict[str, Any]:
    """Begin to mask a branch."""
    with call.locked() as rows:
        branch, row = call.branch(rows), _row(call, rows)
        if row.state not in STARTABLE:
            raise Refusal(
                409, f"anonymization cannot start: the branch is {row.state}, not {', '.join(STARTABLE)}"
            )
        if not row.listed():
            raise Refusal(400, "the branch has no masking rules: there is nothing to mask")
        row.state, row.status_message, row.updated_at = states.ANONYMIZING, None, call.now
        row.started_at, row.completed_at, row.failed_at = call.now, None, None
        _operation(rows, branch, call.now, "anonymize")
        return _status(branch, row)


@answers(
    "GET",
    ONE + "/anonymized_status",
    "getAnonymizedBranchStatus",
    says="Shows how far an anonymized branch is, and what went wrong.",
)
def get_status(call: Call) -> dict[str, Any]:
    """Show how far an anonymised branch is."""
    with call.plane.state.read() as rows:
        return _status(call.branch(rows), _row(call, rows))


def _operation(rows: Rows, branch: BranchRow, now: str, step: str) -> OperationRow:
    return changes.operation(rows, "apply_config", branch.project_id, now, branch_id=branch.id, masking=step)


def _row(call: Call, rows: Rows) -> MaskingRow:
    branch = call.branch(rows)
    row = rows.get(MaskingRow, branch.id)
    if row is None:
        raise Refusal(404, f"branch {branch.id} is not an anonymized branch")
    return row


def _rules(call: Call) -> list[dict[str, str]]:
    given = call.body.get("masking_rules") or []
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise Refusal(400, "masking_rules must be a list of objects")
    if len(given) > MOST_RULES:
        raise Refusal(400, f"there may be at most {MOST_RULES} masking rules")
    try:
        read = [masking.read(each) for each in given]
        for database in dict.fromkeys(rule.database for rule in read):
            masking.tables([rule for rule in read if rule.database == database])
    except Problem as problem:
        raise Refusal(400, problem.message) from None
    names = (*masking.WHERE, *masking.WHAT)
    return [{name: each[name] for name in names if each.get(name) is not None} for each in given]


def _status(branch: BranchRow, row: MaskingRow) -> dict[str, Any]:
    run = {"started_at": row.started_at, "completed_at": row.completed_at}
    shown: dict[str, Any] = {
        "project_id": branch.project_id,
        "branch_id": branch.id,
        "state": row.state,
        "status_message": row.status_message,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "failed_at": row.failed_at,
    }
    if row.started_at:
        last = {name: value for name, value in run.items() if value is not None}
        shown["last_run"] = {**last, "masked_columns": row.masked_columns}
    return {name: value for name, value in shown.items() if value is not None}
