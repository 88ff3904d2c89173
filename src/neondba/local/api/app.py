"""The HTTP face: routing, Neon's error shape, and who may ask."""

from __future__ import annotations

import errno
import json
import logging
import uuid
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as HttpRoute

from neondba.core.problem import Problem
from neondba.local.api.call import Call, Refusal, Route
from neondba.local.api.routes import routes
from neondba.local.control.plane import Plane
from neondba.local.control.worker import sentence
from neondba.local.server_file import ServerFile

PREFIX: Final = "/api/v2"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
LARGEST_BODY: Final = 1 << 20


def app(plane: Plane, file: ServerFile) -> Starlette:
    """Make the web application; `state.stop` is called on request."""
    ordered = sorted(routes(), key=lambda route: route.path.count("{"))
    web = Starlette(
        routes=[
            HttpRoute("/local/status", _status(plane, file), methods=["GET"]),
            HttpRoute("/local/stop", _stop, methods=["POST"]),
            *(
                HttpRoute(PREFIX + route.path, _endpoint(plane, route), methods=[route.method])
                for route in ordered
            ),
        ],
        exception_handlers={404: _no_route, 405: _no_route},
    )
    web.state.plane = plane
    web.router.redirect_slashes = False
    return web


def _status(plane: Plane, file: ServerFile) -> Any:
    async def answer(request: Request) -> Response:
        try:
            _admit(request)
        except Refusal as refusal:
            return _error(refusal.status, refusal.message, refusal.code, "")
        awake = len(plane.computes.awake())
        shown = {
            "projects": len(plane.projects()),
            "awake": awake,
            "connections": plane.directory.connected(),
        }
        return JSONResponse({**file.model_dump(), **shown, "cloned_by": plane.cloner.name})

    return answer


async def _stop(request: Request) -> Response:
    try:
        _admit(request)
    except Refusal as refusal:
        return _error(refusal.status, refusal.message, refusal.code, "")
    request.app.state.stop()
    return JSONResponse({"stopping": True}, 202)


def _endpoint(plane: Plane, route: Route) -> Any:
    async def answer(request: Request) -> Response:
        plane.directory.contact()
        number = request.headers.get("x-request-id") or str(uuid.uuid4())
        try:
            _admit(request)
            call = Call(plane, request.path_params, request.query_params, await _body(request))
            shown = await run_in_threadpool(route.handler, call)
        except Refusal as refusal:
            return _error(refusal.status, refusal.message, refusal.code, number)
        except Problem as problem:
            return _error(problem.http_status, problem.message, problem.code, number)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            logging.getLogger(__name__).warning("%s: %s", route.operation_id, error)
            code = "INSUFFICIENT_STORAGE" if full else ""
            return _error(507 if full else 500, sentence(error), code, number)
        except Exception:
            logging.getLogger(__name__).exception("%s failed", route.operation_id)
            return _error(500, "internal error; the server's log says more", "", number)
        if shown is None:
            return Response(status_code=204)
        return JSONResponse(shown, route.status, headers={"X-Request-ID": number})

    return answer


def _admit(request: Request) -> None:
    """Let in local programs, not web pages: those cannot send this header unasked."""
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name.lower() not in LOOPBACK:
        raise Refusal(403, f"the local Neon answers only to this machine's own names, not to {name}")
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refusal(401, "supplied credentials do not pass authentication: any bearer token is accepted")


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if not raw.strip():
        return {}
    if len(raw) > LARGEST_BODY:
        raise Refusal(413, "the request body is too large")
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refusal(400, "the request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "the request body must be an object")
    return body


def _error(status: int, message: str, code: str, number: str) -> JSONResponse:
    body = {"request_id": number, "code": code, "message": message}
    return JSONResponse(body, status, headers={"X-Request-ID": number})


async def _no_route(request: Request, _raised: Exception) -> Response:
    try:
        _admit(request)
    except Refusal as refusal:
        return _error(refusal.status, refusal.message, refusal.code, str(uuid.uuid4()))
    return _error(404, "this route does not exist", "", str(uuid.uuid4()))
