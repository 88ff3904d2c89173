"""The HTTP face: routing, Neon's error shape, and who may ask."""

from __future__ import annotations

import errno
import logging
import uuid
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as HttpRoute

from neondba.core.problem import Problem
from neondba.local.api import request as requests
from neondba.local.api.call import Call, Refusal, Route
from neondba.local.api.keys import admitted
from neondba.local.api.routes import everything
from neondba.local.contract.checks import Invalid, checker
from neondba.local.control.plane import Plane
from neondba.local.control.worker import sentence
from neondba.local.server_file import ServerFile

PREFIX: Final = "/api/v2"


def app(plane: Plane, file: ServerFile) -> Starlette:
    """Make the web application; `state.stop` is called on request."""
    ordered = sorted(everything(), key=lambda route: route.path.count("{"))
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
            requests.token(request)
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
        requests.token(request)
    except Refusal as refusal:
        return _error(refusal.status, refusal.message, refusal.code, "")
    request.app.state.stop()
    return JSONResponse({"stopping": True}, 202)


def _endpoint(plane: Plane, route: Route) -> Any:
    async def answer(request: Request) -> Response:
        plane.directory.contact()
        number = request.headers.get("x-request-id") or str(uuid.uuid4())
        try:
            token, raw = requests.token(request), await requests.received(request)
            shown = await run_in_threadpool(_handled, plane, route, request, token, raw)
        except Refusal as refusal:
            return _error(refusal.status, refusal.message, refusal.code, number, **refusal.more)
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


def _handled(plane: Plane, route: Route, request: Request, token: str, raw: bytes) -> Any:
    """Look at the key, check the request against the published document, then answer it."""
    path = request.path_params
    key = admitted(plane, token, request.method, path)
    if not route.checked:
        return route.handler(Call(plane, path, request.query_params))
    check = checker(route.operation_id)
    try:
        check.path(path)
        query = check.query(request.query_params.multi_items())
        body = requests.parsed(request, raw) if check.reads_body else None
        check.body(body)
    except Invalid as invalid:
        raise Refusal(400, str(invalid)) from None
    call = Call(plane, path, query, body or {}, key is not None and key.organization)
    return route.handler(call)


def _error(status: int, message: str, code: str, number: str, **more: Any) -> JSONResponse:
    body = {"request_id": number, "code": code, "message": message, **more}
    return JSONResponse(body, status, headers={"X-Request-ID": number})


async def _no_route(request: Request, _raised: Exception) -> Response:
    try:
        requests.token(request)
    except Refusal as refusal:
        return _error(refusal.status, refusal.message, refusal.code, str(uuid.uuid4()))
    return _error(404, "this route does not exist", "", str(uuid.uuid4()))
