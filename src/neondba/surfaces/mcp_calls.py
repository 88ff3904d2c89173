"""Answer an agent's tool calls. Imported only when serving: it needs the SDK."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from neondba.core.context import Context
from neondba.core.operation import Operation, find
from neondba.core.plan import Effect
from neondba.core.problem import ArgumentProblem, ConfirmationNeeded, Problem
from neondba.surfaces import mcp_replies, search, tools
from neondba.surfaces.calls import Answer, answer, gated
from neondba.surfaces.mcp_scope import Scope
from neondba.surfaces.reply import Results

Request = ServerRequestContext[Any, Any]
Reply = types.CallToolResult | types.InputRequiredResult

_CONSENT = "consent"


class Calls:
    """Route a tool call to an operation, and its answer back."""

    def __init__(self, base: Context, operations: Mapping[str, Operation], scope: Scope) -> None:
        self._base = scope.applied(base)
        self._operations = operations
        self._scope = scope
        self._tools = {found.tool: found for found in operations.values()}
        self._results = Results()

    async def call_tool(self, request: Request, params: types.CallToolRequestParams) -> Reply:
        """Answer one call; a problem is an answer too."""
        given = dict(params.arguments or {})
        try:
            if params.name == tools.FIND["name"]:
                found = search.find_operations(str(_one(given, "words")), self._operations)
                return mcp_replies.of_data({"operations": found})
            if params.name == tools.READ["name"]:
                return self._read(given)
            return await self._run(request, params, given)
        except Problem as problem:
            return mcp_replies.of_problem(problem)

    def _read(self, given: Mapping[str, Any]) -> types.CallToolResult:
        name, path = str(_one(given, "id")), str(given.get("path", ""))
        start = given.get("start", 0)
        if not isinstance(start, int) or start < 0:
            raise ArgumentProblem("argument-invalid", "start is not a count from 0.", argument="start")
        part = self._results.read(name, path)
        return mcp_replies.of_part(name, part, path, start, untrusted=name in self._results.untrusted)

    async def _run(
        self, request: Request, params: types.CallToolRequestParams, given: dict[str, Any]
    ) -> Reply:
        through_run = params.name == tools.RUN["name"]
        operation = find(str(_one(given, "name"))) if through_run else self._named(params.name)
        dry_run, confirm = _running(operation, given, through_run=through_run)
        arguments = given.get("arguments") or {} if through_run else given
        if not isinstance(arguments, dict):
            raise ArgumentProblem("argument-invalid", "arguments is not an object.", argument="arguments")
        self._scope.check(operation, arguments)
        confirm = _agreed(params) or confirm
        call = gated if through_run else answer
        ctx = replace(self._base, dry_run=dry_run, confirmation=confirm)
        found = await _in_thread(request, ctx, lambda mine: call(operation, mine, arguments))
        if isinstance(found.problem, ConfirmationNeeded) and confirm is None and not _refused(params):
            asked = await _ask(request, found.problem)
            if isinstance(asked, types.InputRequiredResult):
                return asked
            if asked:
                agreed = replace(ctx, confirmation=found.problem.facts["hash"])
                found = await _in_thread(request, agreed, lambda mine: call(operation, mine, arguments))
        return mcp_replies.of_answer(found, arguments, self._results, self._base.chance)

    def _named(self, name: str) -> Operation:
        return self._tools[name] if name in self._tools else find(name)


def _one(given: Mapping[str, Any], name: str) -> Any:
    if name not in given:
        raise ArgumentProblem("argument-invalid", f"{name} is missing.", argument=name)
    return given[name]


def _running(operation: Operation, given: dict[str, Any], *, through_run: bool) -> tuple[bool, str | None]:
    """Take the two arguments that say how to run; an operation that only reads has none."""
    if not through_run and operation.effect is Effect.READ:
        return False, None
    dry_run, confirm = given.pop("dry_run", False), given.pop("confirm", None)
    if not isinstance(dry_run, bool):
        raise ArgumentProblem("argument-invalid", "dry_run is neither true nor false.", argument="dry_run")
    if confirm is not None and not isinstance(confirm, str):
        raise ArgumentProblem("argument-invalid", "confirm is not the hash of a plan.", argument="confirm")
    return dry_run, confirm


async def _in_thread(request: Request, ctx: Context, call: Any) -> Answer:
    """Run in a thread that hears of cancelling; wait for it to clean up."""
    stop, finished = threading.Event(), threading.Event()
    told = 0.0

    def listen(message: str, done: float | None) -> None:
        nonlocal told
        # The protocol wants progress to grow; without a share it counts sentences.
        told = max(done, told) if done is not None else told + 0.001
        total = 1.0 if done is not None else None
        anyio.from_thread.run(request.session.report_progress, told, total, message)

    def work() -> Answer:
        try:
            made: Answer = call(replace(ctx, listener=listen, cancelled=stop.is_set))
            return made
        finally:
            finished.set()

    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        stop.set()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(finished.wait)
        raise


def _question(problem: ConfirmationNeeded) -> types.ElicitRequestFormParams:
    steps = problem.facts["plan"]["steps"]
    return types.ElicitRequestFormParams(
        message="\n".join([problem.message, *(f"{n}. {step}" for n, step in enumerate(steps, start=1))]),
        requested_schema={
            "type": "object",
            "properties": {"agree": {"type": "boolean", "description": "Carry out this plan."}},
            "required": ["agree"],
        },
    )


async def _ask(request: Request, problem: ConfirmationNeeded) -> bool | types.InputRequiredResult:
    """Ask the user through the client, where it can."""
    can = request.session.client_capabilities
    if can is None or can.elicitation is None or "plan" not in problem.facts:
        return False
    asked = _question(problem)
    if request.session.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return types.InputRequiredResult(
            input_requests={_CONSENT: types.ElicitRequest(params=asked)},
            request_state=problem.facts["hash"],
        )
    reply = await request.session.elicit_form(asked.message, asked.requested_schema, request.request_id)
    return _says_yes(reply)


def _says_yes(reply: Any) -> bool:
    return (
        isinstance(reply, types.ElicitResult)
        and reply.action == "accept"
        and (reply.content or {}).get("agree") is True
    )


def _agreed(params: types.CallToolRequestParams) -> str | None:
    """Give the hash that the user agreed to in answer to our question."""
    reply = (params.input_responses or {}).get(_CONSENT)
    return params.request_state if _says_yes(reply) else None


def _refused(params: types.CallToolRequestParams) -> bool:
    return _CONSENT in (params.input_responses or {}) and _agreed(params) is None
