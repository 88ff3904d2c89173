"""Call one operation through each surface and give what came of it in one form."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
from mcp.client.client import Client
from starlette.testclient import TestClient

import neondba
from neondba import capabilities
from neondba.core.context import Context
from neondba.core.operation import Example, Operation
from neondba.core.problem import Problem
from neondba.surfaces import cli, http_app, mcp, shape, trouble

REPOSITORY = Path(__file__).parents[2]
TOKEN = "t" * 43


@dataclass(frozen=True)
class Outcome:
    """A result's data or a problem's code, and everything the surface gave out."""

    data: Any = None
    problem: str | None = None
    facts: Mapping[str, Any] | None = None
    shown: str = ""
    beginning: bool = False
    """True when only the beginning of the data was given."""


def through_python(ctx: Context, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
    try:
        data = operation.dump(neondba.call(operation.name, ctx, **arguments))
    except Problem as problem:
        return _problem(problem.report().model_dump(mode="json"))
    except KeyboardInterrupt:
        return _problem(trouble.interrupted("x").report().model_dump(mode="json"))
    except RuntimeError as error:
        return _problem(trouble.unexpected(error, "x").report().model_dump(mode="json"))
    return Outcome(data, shown=json.dumps(data))


def through_cli(ctx: Context, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
    argv = shape.command_line(operation, arguments)
    argv += ["--format", "json", "--state-dir", str(ctx.settings.state_dir)]
    argv += ["--project", ctx.settings.project] if ctx.settings.project else []
    argv += ["--confirm", ctx.confirmation] if ctx.confirmation else []
    argv += ["--dry-run"] if ctx.dry_run else []
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = cli.run(argv)
    shown = out.getvalue() + err.getvalue()
    if status == 130:
        return Outcome(problem="interrupted", shown=shown)
    data = json.loads(out.getvalue())
    return _problem(data, shown) if status > 1 else Outcome(data, shown=shown)


def through_mcp(ctx: Context, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
    running: dict[str, Any] = {"confirm": ctx.confirmation} if ctx.confirmation else {}
    running |= {"dry_run": True} if ctx.dry_run else {}
    name, given = operation.tool, {**arguments, **running}
    if not operation.featured:
        name, given = "run_operation", {"name": operation.name, "arguments": dict(arguments), **running}

    async def call() -> Any:
        async with Client(mcp.server(ctx)) as client:
            return await client.call_tool(name, given)

    result = anyio.run(call)
    body, shown = result.structured_content, result.model_dump_json()
    if result.is_error:
        return _problem(body, shown)
    return Outcome(body.get("result", body.get("plan")), shown=shown, beginning="left_out" in body)


def through_http(ctx: Context, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
    headers = {"authorization": f"Bearer {TOKEN}"}
    query = {"confirm": ctx.confirmation} if ctx.confirmation else {}
    query |= {"dry_run": "true"} if ctx.dry_run else {}
    with TestClient(http_app.application(ctx, TOKEN), base_url="http://127.0.0.1") as client:
        response = client.post(operation.path, json=dict(arguments), params=query, headers=headers)
    shown = response.text + str(response.headers)
    data = response.json()
    return Outcome(data, shown=shown) if response.status_code == 200 else _problem(data, shown)


SURFACES: dict[str, Callable[[Context, Operation, Mapping[str, Any]], Outcome]] = {
    "python": through_python,
    "cli": through_cli,
    "mcp": through_mcp,
    "http": through_http,
}


def with_consent(surface: str, ctx: Context, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
    """Call, and agree to whatever plan waits for consent."""
    first = SURFACES[surface](ctx, operation, arguments)
    if first.problem != "confirmation-needed" or first.facts is None:
        return first
    return SURFACES[surface](replace(ctx, confirmation=first.facts["hash"]), operation, arguments)


def quick(operation: Operation) -> list[Example]:
    """Give the examples that are run through every surface."""
    return [example for example in operation.examples if not example.slow]


def examples_through(surface: str, ctx: Context, operation: Operation) -> list[Outcome]:
    """Run an operation's examples in order, but for the slow ones."""
    outcomes = []
    for example in quick(operation):
        for name, arguments in example.before:
            with_consent(surface, ctx, capabilities.load()[name], arguments)
        # A tool that is reached through run_operation waits for consent to every change.
        gated = surface == "mcp" and not operation.featured and example.problem != "confirmation-needed"
        call = with_consent if example.confirmed or gated else _call
        outcomes.append(call(surface, ctx, operation, example.arguments))
    return outcomes


def _call(surface: str, ctx: Context, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
    return SURFACES[surface](ctx, operation, arguments)


def _problem(report: Mapping[str, Any], shown: str = "") -> Outcome:
    return Outcome(problem=report["code"], facts=report["facts"], shown=shown or json.dumps(report))
