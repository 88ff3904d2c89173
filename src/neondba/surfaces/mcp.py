"""Serve the operations to a coding agent: the official SDK over stdin and stdout, or over HTTP.

The low-level server is used because the schemas are ours. An operation runs in a thread; cancelling the
call cancels the operation and waits until it has cleaned up.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from neondba.core.problem import ArgumentProblem
from neondba.surfaces import output
from neondba.surfaces.scope import ONLY, READ_ONLY, Scope
from neondba.surfaces.shape import Argument

if TYPE_CHECKING:
    from mcp.server import Server

    from neondba.core.context import Context

EVERYTHING: Final = Scope()
INSTRUCTIONS = (
    "Manages Postgres databases on Neon. dry_run gives the plan of a change: show it to the user, and pass "
    "its hash as confirm only when they agree. What destroys data or is protected, and every change through "
    "run_operation, waits for that. find_operation reaches what is not listed."
)


_ALONE = (
    "An editor starts this and talks to it; you need not. To set that up: neondba agents install\n"
    "Waiting for its messages; Ctrl-C ends."
)
_HTTP = Argument("http", "Serve over streamable HTTP on this machine, with a token.", kind="flag")
_PORT = Argument("port", "Port for --http; 0 takes a free one.", default="8411")


def command(tokens: Sequence[str]) -> int:
    """Serve until the agent hangs up: `neondba mcp`."""
    from neondba.surfaces import server_command

    arguments = [READ_ONLY, ONLY, _HTTP, _PORT]
    return server_command.run("mcp", "Serve the operations to a coding agent.", arguments, tokens, _serve)


def server(base: Context, scope: Scope = EVERYTHING) -> Server[Any]:
    """Build the server; each call gets its own copy of the context."""
    import mcp_types as types
    from mcp.server import Server

    from neondba import __version__, capabilities
    from neondba.surfaces import tools
    from neondba.surfaces.mcp_calls import Calls
    from neondba.surfaces.mcp_library import Library

    operations = scope.offered(capabilities.load())
    listed = [types.Tool.model_validate(tool) for tool in tools.listed(operations)]
    calls, library = Calls(base, operations, scope), Library(scope.applied(base))

    async def list_tools(_ctx: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    return Server(
        "neondba",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=calls.call_tool,
        on_list_prompts=library.list_prompts,
        on_get_prompt=library.get_prompt,
        on_list_resources=library.list_resources,
        on_list_resource_templates=library.list_templates,
        on_read_resource=library.read_resource,
    )


def _serve(base: Context, values: dict[str, Any]) -> int:
    scope = Scope(read_only=bool(values.get("read_only")), project=values.get("only_project"))
    if values.get("http"):
        from neondba.surfaces import mcp_http

        return mcp_http.serve(server(base, scope), base, str(values.get("port", _PORT.default)))
    if "port" in values:
        raise ArgumentProblem("argument-invalid", "--port is for --http.", hint="Add --http.")
    if output.is_terminal(sys.stdin):
        output.err(_ALONE)
    return _over_streams(server(base, scope))


def _over_streams(made: Server[Any]) -> int:
    import anyio
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await made.run(reading, writing, made.create_initialization_options())

    anyio.run(serve)
    return 0
