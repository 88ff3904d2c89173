"""Operations of the published API that the local Neon does not have: answered so that clients degrade.

The official programs go on without a feature when the answer is 404 and says "not available" or
"not enabled", or when a list is empty.
"""

from __future__ import annotations

from typing import Any, Final

from neondba.local.api.call import Call, Refusal, Route
from neondba.local.contract.table import Operation, operations
from neondba.local.requirement import SPEC, Requirement

FEATURES: Final = {
    "auth": "Neon Auth is not enabled: it",
    "data-api": "the Data API is not enabled: it",
    "buckets": "object storage",
    "storage": "object storage",
    "functions": "the functions feature",
    "ai_gateway": "the AI gateway",
    "credentials": "the credentials feature",
    "triggers": "the triggers feature",
    "logs": "the log query feature",
    "custom-domains": "the custom domains feature",
}
"""By the first part of the path that names one."""
EMPTY: Final = frozenset({"buckets", "functions"})
"""What is listed as empty, since there can be none.

Not credentials: `neon env pull` takes a list, even an empty one, as leave to make some.
"""


def unavailable(built: set[str]) -> list[Route]:
    """Give a route for each operation that is not built."""
    return [_route(each) for each in operations().values() if each.id not in built]


def feature(operation: Operation) -> str:
    """Name the feature that an operation belongs to."""
    for part in operation.path.split("/"):
        if part in FEATURES:
            return FEATURES[part]
    return f"the operation {operation.id}"


def _route(operation: Operation) -> Route:
    empty = _empty_list(operation)
    refused = f"{feature(operation)} is not available in the local Neon"
    no_branch, no_feature = _reasons(operation)

    def answer(call: Call) -> dict[str, Any]:
        try:
            _must_exist(call)
        except Refusal as refusal:
            raise Refusal(404, refusal.message, **no_branch) from None
        if empty is None:
            raise Refusal(404, refused, **no_feature)
        return empty

    row = Requirement(operation.id, "Is not available.", None, SPEC)
    return Route(operation.method, operation.path, operation.id, answer, 200, row, checked=False)


def _reasons(operation: Operation) -> tuple[dict[str, str], dict[str, str]]:
    """Give the field `reason` of both refusals, where the document asks for one."""
    schema = operation.answer(404) or {}
    if "reason" not in schema.get("required", ()):
        return {}, {}
    words = schema["properties"]["reason"]["enum"]
    missing = next(word for word in words if word.endswith("unavailable"))
    return {"reason": "branch_not_found"}, {"reason": missing}


def _must_exist(call: Call) -> None:
    if "project_id" not in call.path:
        return
    with call.plane.state.read() as rows:
        if "branch_id" in call.path:
            call.branch(rows)
        else:
            call.project(rows)


def _empty_list(operation: Operation) -> dict[str, Any] | None:
    """Give the smallest answer that fits the document; None if it needs more than empty lists."""
    schema = operation.answer(200)
    if operation.method != "GET" or operation.path.rpartition("/")[2] not in EMPTY or schema is None:
        return None
    parts = [schema, *schema.get("allOf", ())]
    kinds = {
        name: part["properties"][name].get("type") for part in parts for name in part.get("required", ())
    }
    return dict.fromkeys(kinds, ()) if set(kinds.values()) == {"array"} else None
