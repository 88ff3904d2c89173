"""The HTTP application. Imported only when serving: it needs starlette."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.core.problem import (
    ArgumentProblem,
    NotFoundProblem,
    Problem,
)
from neondba.surfaces import door
from neondba.surfaces.calls import Answer, answer

MOST_BYTES = 1_000_000

Endpoint = Callable[[Request], Awaitable[Response]]


def application(base: Context, token: str) -> Starlette:
    """Build the application; each call gets its own copy of the context."""
    operations = capabilities.load()

    async def listing(_request: Request) -> Response:
        return JSONResponse([_listed(found) for found in operations.values()])

    routes = [Route("/v1/operations", _guarded(listing, token), methods=["GET"])]
    routes += [
        Route(found.path, _guarded(_endpoint(found, base), token), methods=["POST"])
        for found in operations.values()
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error, Exception: _crash})


def _endpoint(operation: Operation, base: Context) -> Endpoint:
    async def call(request: Request) -> Response:
        arguments = await _body(request)
        ctx = replace(
            base,
            dry_run=_given(request, "dry_run", "neondba-dry-run") in {"true", "1"},
            confirmation=_given(request, "confirm", "neondba-confirm"),
        )
        return _response(await run_in_threadpool(answer, operation, ctx, arguments))

    return call


def _guarded(endpoint: Endpoint, token: str) -> Endpoint:
    """Let in only who speaks to this machine by its own name and holds the token."""

    async def guard(request: Request) -> Response:
        try:
            door.admit(request.headers, token)
            return await endpoint(request)
        except Problem as problem:
            return refusal(problem)
        except Exception as error:  # noqa: BLE001 - further up it would be logged with its trace
            return await _crash(request, error)

    return guard


async def _body(request: Request) -> dict[str, Any]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise _TooLarge(
                "body-too-large", f"The body is larger than {MOST_BYTES} bytes.", hint="Send less at once."
            )
    try:
        arguments = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise ArgumentProblem(
            "body-not-an-object", "The body is not a JSON object.", hint="Send the arguments by name."
        )
    return arguments


class _TooLarge(ArgumentProblem):
    """More was sent than is read."""

    http_status = 413


def _given(request: Request, parameter: str, header: str) -> str | None:
    return request.query_params.get(parameter) or request.headers.get(header)


def _response(found: Answer) -> Response:
    if found.problem is not None:
        return refusal(found.problem)
    if found.plan is not None:
        headers = {"neondba-plan": found.plan.hash}
        return JSONResponse(found.operation.dump(found.plan), headers=headers)
    return JSONResponse(found.data, headers={"neondba-findings": str(found.findings)})


def refusal(problem: Problem) -> Response:
    """Give a problem as a response."""
    headers = {"www-authenticate": "Bearer"} if problem.http_status == 401 else None
    return JSONResponse(
        problem.report().model_dump(mode="json"), status_code=problem.http_status, headers=headers
    )


def _listed(found: Operation) -> dict[str, Any]:
    return {
        "name": found.name,
        "path": found.path,
        "effect": found.effect.value,
        "summary": found.summary,
        "arguments": found.arguments.model_json_schema(),
    }


async def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    problem = NotFoundProblem(
        "path-not-found" if status == 404 else "request-refused",
        "Nothing is served at this path." if status == 404 else "The path does not take this method.",
        hint="GET /v1/operations lists the paths; operations are called with POST.",
    )
    return JSONResponse(problem.report().model_dump(mode="json"), status_code=status)


async def _crash(_request: Request, error: Exception) -> Response:
    from neondba.surfaces import trouble

    return refusal(trouble.unexpected(error, "The server"))
