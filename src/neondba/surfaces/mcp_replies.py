"""Put a reply into the SDK's tool result: short text, structured content."""

from __future__ import annotations

import mcp_types as types

from neondba.surfaces.replies import Reply, marked


def wire(reply: Reply) -> types.CallToolResult:
    """Give the tool result; what comes from a database is marked as data."""
    body, shown = reply.body, reply.text
    if reply.untrusted:
        said, shown = marked(shown)
        body = {"untrusted": said, **body}
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=shown)],
        structured_content=body,
        is_error=reply.is_error,
    )
