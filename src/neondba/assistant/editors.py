"""Where each editor looks for agents, skills and MCP servers in a project, and in which form.

Read from the editors' documentation in November 2026: Claude Code (subagents, skills, `.mcp.json`), Cursor
(`.cursor`), VS Code (custom agents and skills in `.github`, servers in `.vscode/mcp.json`), Codex
(`.codex/config.toml`, `.codex/agents`, skills in `.agents`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from neondba.assistant.agent import Agent


class Editor(StrEnum):
    """An editor that takes agents."""

    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VSCODE = "vscode"
    CODEX = "codex"


@dataclass(frozen=True)
class Layout:
    """The files of one editor."""

    title: str
    marks: tuple[str, ...]
    """Files or folders that show that a project is used with this editor."""
    agents: str
    """Where an agent lies; `{}` stands for its name."""
    agent_text: Callable[[Agent], str]
    skills: str
    """The folder of skills."""
    servers: str
    """The file that names MCP servers."""
    holder: str
    """The member or table of that file that holds them."""
    typed: bool = False
    """True where a server says which transport it speaks."""


def _markdown(agent: Agent) -> str:
    return f"---\nname: {agent.name}\ndescription: {json.dumps(agent.description)}\n---\n\n{agent.body}"


def _with_skills(agent: Agent) -> str:
    listed = "".join(f"  - {name}\n" for name in agent.skills)
    front = f"---\nname: {agent.name}\ndescription: {json.dumps(agent.description)}\nskills:\n{listed}---\n\n"
    return front + agent.body


def _toml(agent: Agent) -> str:
    fields = f"name = {json.dumps(agent.name)}\ndescription = {json.dumps(agent.description)}\n"
    return f"{fields}developer_instructions = '''\n{agent.body}'''\n"


LAYOUTS: Final = {
    Editor.CLAUDE_CODE: Layout(
        "Claude Code", (".claude", ".mcp.json", "CLAUDE.md"), ".claude/agents/{}.md", _with_skills,
        ".claude/skills", ".mcp.json", "mcpServers",
    ),
    Editor.CURSOR: Layout(
        "Cursor", (".cursor", ".cursorrules"), ".cursor/agents/{}.md", _markdown,
        ".cursor/skills", ".cursor/mcp.json", "mcpServers",
    ),
    Editor.VSCODE: Layout(
        "VS Code", (".vscode", ".github/copilot-instructions.md", ".github/agents"),
        ".github/agents/{}.agent.md", _markdown, ".github/skills", ".vscode/mcp.json", "servers", typed=True,
    ),
    Editor.CODEX: Layout(
        "Codex", (".codex", ".agents"), ".codex/agents/{}.toml", _toml,
        ".agents/skills", ".codex/config.toml", "mcp_servers",
    ),
}  # fmt: skip
