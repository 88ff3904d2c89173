"""Serve the operations to a coding agent: the official SDK over stdin and stdout.

The low-level server is used because the schemas are ours. An operation runs in a thread; cancelling the
call cancels the operation and waits until it has cleaned up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server import Server

    from neondba.core.context import Context

INSTRUCTIONS = (
    "Manages Postgres databases on Neon. What changes something gives a "
    "plan first: show it to the user and pass its hash as confirm only when they agree. find_operation "
    "reaches what is not listed."
)


def command(tokens: Sequence[str]) -> int:
    """Serve until the agent hangs up: `neondba mcp`."""
    from neondba.surfaces import server_command

    return server_command.run(
        "mcp", "Serve the operations to a coding agent over stdin and stdout.", [], tokens, _serve
    )


def server(base: Context) -> Server[Any]:
    """Build the server; each call gets its own copy of the context."""
    import mcp_types as types
    from mcp.server import Server

    from neondba import __version__, capabilities
    from neondba.surfaces import tools
    from neondba.surfaces.mcp_calls import Calls

    operations = capabilities.load()
    listed = [types.Tool.model_validate(tool) for tool in tools.listed(operations)]
    calls = Calls(base, operations)

    async def list_tools(_ctx: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    return Server(
        "neondba",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=calls.call_tool,
    )


def _serve(base: Context, _values: dict[str, Any]) -> int:
    import anyio
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        made = server(base)
        async with stdio_server() as (reading, writing):
            await made.run(reading, writing, made.create_initialization_options())

    anyio.run(serve)
    return 0
