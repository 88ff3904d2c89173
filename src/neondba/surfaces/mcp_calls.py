"""Answer an agent's tool calls. Imported only when serving: it needs the SDK."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from neondba.core.context import Clock, Context
from neondba.core.operation import Operation
from neondba.core.problem import ConfirmationNeeded, Problem
from neondba.surfaces import replies
from neondba.surfaces.calls import Answer, answer, gated
from neondba.surfaces.desk import Desk
from neondba.surfaces.mcp_replies import wire
from neondba.surfaces.scope import Scope
from neondba.surfaces.threads import in_thread

Request = ServerRequestContext[Any, Any]
Reply = types.CallToolResult | types.InputRequiredResult

NOTABLE = 0.05
"""Share of an operation that is told at once."""
SOON = 0.25
"""Seconds after which a smaller share is told too."""
_CONSENT = "consent"


class Calls:
    """Route a tool call to an operation, and its answer back."""

    def __init__(self, base: Context, operations: Mapping[str, Operation], scope: Scope) -> None:
        self._desk = Desk(base, operations, scope)

    async def call_tool(self, request: Request, params: types.CallToolRequestParams) -> Reply:
        """Answer one call; a problem is an answer too."""
        given = dict(params.arguments or {})
        try:
            own = self._desk.own(params.name, given)
            return wire(own) if own is not None else await self._run(request, params, given)
        except Problem as problem:
            return wire(replies.of_problem(problem))

    async def _run(
        self, request: Request, params: types.CallToolRequestParams, given: dict[str, Any]
    ) -> Reply:
        asked = self._desk.asked(params.name, given)
        confirm = _agreed(params) or asked.confirm
        call = gated if asked.through_run else answer

        def carry_out(mine: Context) -> Answer:
            return call(asked.operation, mine, asked.arguments)

        ctx = replace(self._desk.base, dry_run=asked.dry_run, confirmation=confirm)
        found = await in_thread(ctx, carry_out, _listener(request, ctx.clock))
        if isinstance(found.problem, ConfirmationNeeded) and confirm is None and not _refused(params):
            reply = await _ask(request, found.problem)
            if isinstance(reply, types.InputRequiredResult):
                return reply
            if reply:
                agreed = replace(ctx, confirmation=found.problem.facts["hash"])
                found = await in_thread(agreed, carry_out, _listener(request, ctx.clock))
        return wire(self._desk.reply(found, asked))


def _listener(request: Request, clock: Clock) -> Callable[[str, float | None], None]:
    told, at = 0.0, -math.inf
    # An operation may report from a thread of its own, which anyio would not know.
    loop = asyncio.get_running_loop()

    def listen(message: str, done: float | None) -> None:
        nonlocal told, at
        # A review names hundreds of rules in a second; nobody reads them, and each costs a message.
        if done is not None and done < min(told + NOTABLE, 1.0) and clock.monotonic() < at + SOON:
            return
        at = clock.monotonic()
        # The protocol wants progress to grow; without a share it counts sentences.
        told = max(done, told) if done is not None else told + 0.001
        total = 1.0 if done is not None else None
        report = request.session.report_progress(told, total, message)
        asyncio.run_coroutine_threadsafe(report, loop).result()

    return listen


def _question(problem: ConfirmationNeeded) -> types.ElicitRequestFormParams:
    plan = problem.facts["plan"]
    steps = (f"{number}. {step}" for number, step in enumerate(plan["steps"], start=1))
    return types.ElicitRequestFormParams(
        message="\n".join([problem.message, *steps, *plan["measured"]]),
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
