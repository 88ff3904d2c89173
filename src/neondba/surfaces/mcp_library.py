"""What an agent may read beside the tools: prompts, skills, rules, where the user stands."""

from __future__ import annotations

from typing import Any, Final

import mcp_types as types
from mcp import MCPError

from neondba.assistant import library
from neondba.assistant.requests import BY_NAME, REQUESTS
from neondba.assistant.skill import skills
from neondba.core.context import Context

SCHEME: Final = "neondba://"
HERE: Final = SCHEME + library.HERE
MARKDOWN: Final = "text/markdown"


class Library:
    """Answers the protocol's questions for prompts and resources."""

    def __init__(self, base: Context) -> None:
        self._base = base

    async def list_prompts(self, _ctx: Any, _params: Any) -> types.ListPromptsResult:
        """Give the requests that the assistant is called for."""
        return types.ListPromptsResult(
            prompts=[
                types.Prompt(
                    name=each.name,
                    title=each.asked.replace("{what}", each.what),
                    arguments=[types.PromptArgument(name="what", description=f"Instead of: {each.what}.")]
                    if each.what
                    else [],
                )
                for each in REQUESTS
            ]
        )

    async def get_prompt(self, _ctx: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """Give one request in full."""
        if params.name not in BY_NAME:
            raise _unknown(f"prompt {params.name}")
        text = BY_NAME[params.name].text((params.arguments or {}).get("what", ""))
        content = types.TextContent(type="text", text=text)
        return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=content)])

    async def list_resources(self, _ctx: Any, _params: Any) -> types.ListResourcesResult:
        """Give the skills and where the user stands; rules are reached by their codes."""
        listed = [
            types.Resource(
                uri=HERE,
                name="project",
                description="The folder, project and branch that calls are made for.",
                mime_type="application/json",
            )
        ]
        listed += [
            types.Resource(
                uri=f"{SCHEME}skill/{skill.name}",
                name=skill.name,
                description=skill.description,
                mime_type=MARKDOWN,
            )
            for skill in skills().values()
        ]
        return types.ListResourcesResult(resources=listed)

    async def list_templates(self, _ctx: Any, _params: Any) -> types.ListResourceTemplatesResult:
        """Give the addresses that take a name."""
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=SCHEME + path,
                    name=path.partition("/")[0],
                    description=text,
                    mime_type=MARKDOWN,
                )
                for path, text in library.ADDRESSES.items()
            ]
        )

    async def read_resource(
        self, _ctx: Any, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """Give one resource as text."""
        uri = str(params.uri)
        text = library.text(self._base, uri.removeprefix(SCHEME)) if uri.startswith(SCHEME) else None
        if text is None:
            raise _unknown(uri)
        kind = "application/json" if uri == HERE else MARKDOWN
        content = types.TextResourceContents(uri=uri, mime_type=kind, text=text)
        return types.ReadResourceResult(contents=[content])


def _unknown(what: str) -> MCPError:
    return MCPError(types.INVALID_PARAMS, f"There is no {what}; list them to see what there is.")
