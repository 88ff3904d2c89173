"""The agents go into an editor's files and out again, byte for byte."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from neondba import capabilities
from neondba.assistant.agent import AGENTS
from neondba.assistant.editors import LAYOUTS, Editor
from neondba.assistant.operations_agents import AgentsInstalled, agents_install, agents_uninstall
from neondba.assistant.skill import NAMES, skills
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.core.settings import Settings

CROWDED = {
    ".claude/agents/reviewer.md": "---\nname: reviewer\n---\nMine.\n",
    ".claude/settings.json": "{}",
    ".mcp.json": '{\n  "mcpServers": {\n    "other": {"command": "x", "env": {"A": "${A}"}}\n  }\n}',
    ".cursor/mcp.json": '{"mcpServers":{}}',
    ".cursor/rules/style.mdc": "Mine.\n",
    ".vscode/mcp.json": '{\n  // ours\n  "inputs": [],\n  "servers": {\n    "other": {},\n  },\n}\n',
    ".vscode/settings.json": '{"a": 1}',
    ".github/agents/other.agent.md": "Mine.",
    ".codex/config.toml": 'model = "x"\n\n[mcp_servers.other]\ncommand = "y" # mine',
    ".agents/skills/mine/SKILL.md": "---\nname: mine\n---\n",
    "README.md": "# Shop\n",
}


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Context(settings=Settings(state_dir=tmp_path / "state"), folder=folder)


def crowd(folder: Path) -> None:
    for path, content in CROWDED.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode())


def files(folder: Path) -> dict[str, bytes | None]:
    return {
        str(each.relative_to(folder)): each.read_bytes() if each.is_file() else None
        for each in folder.rglob("*")
    }


def done(result: AgentsInstalled) -> dict[str, str]:
    return {each.path: each.done for each in result.files}


@pytest.mark.parametrize("crowded", [False, True])
def test_after_the_way_in_and_out_all_four_editors_files_are_as_before(ctx: Context, crowded: bool) -> None:
    if crowded:
        crowd(ctx.folder)
    before = files(ctx.folder)
    first = agents_install(ctx, tuple(Editor))
    assert set(done(first).values()) <= {"written", "our entry added"}
    for path in CROWDED if crowded else ():
        if not path.endswith(("mcp.json", "config.toml")):
            assert (ctx.folder / path).read_bytes() == CROWDED[path].encode()
    again = agents_install(ctx, tuple(Editor))
    assert set(done(again).values()) == {"unchanged"}
    agents_uninstall(ctx, tuple(Editor))
    assert files(ctx.folder) == before


def test_each_editor_reads_what_was_written(ctx: Context) -> None:
    agents_install(ctx, tuple(Editor))
    for file, holder in ((".mcp.json", "mcpServers"), (".cursor/mcp.json", "mcpServers")):
        entry = json.loads((ctx.folder / file).read_text())[holder]["neondba"]
        assert entry == {"command": "neondba", "args": ["mcp"]}
    code = json.loads((ctx.folder / ".vscode/mcp.json").read_text())["servers"]["neondba"]
    assert code == {"type": "stdio", "command": "neondba", "args": ["mcp"]}
    codex = tomllib.loads((ctx.folder / ".codex/config.toml").read_text())
    assert codex["mcp_servers"]["neondba"]["args"] == ["mcp"]
    for agent in AGENTS:
        toml = tomllib.loads((ctx.folder / f".codex/agents/{agent.name}.toml").read_text())
        assert toml["developer_instructions"].strip() == agent.body.strip()
        text = (ctx.folder / f".claude/agents/{agent.name}.md").read_text()
        assert text.startswith(f"---\nname: {agent.name}\ndescription: ")


def test_another_way_to_start_it_is_written_and_taken_out_too(ctx: Context) -> None:
    agents_install(ctx, (Editor.CURSOR, Editor.CODEX), command="uvx neondba")
    entry = json.loads((ctx.folder / ".cursor/mcp.json").read_text())["mcpServers"]["neondba"]
    assert entry == {"command": "uvx", "args": ["neondba", "mcp"]}
    agents_uninstall(ctx, (Editor.CURSOR, Editor.CODEX))
    assert files(ctx.folder) == {}


def test_what_was_edited_stays_and_is_named(ctx: Context) -> None:
    agents_install(ctx, (Editor.CLAUDE_CODE,))
    mine = ctx.folder / ".claude/agents/neon-db-manager.md"
    mine.write_text(mine.read_text().replace("strict constraints", "our constraints"))
    assert (
        done(agents_install(ctx, (Editor.CLAUDE_CODE,)))[".claude/agents/neon-db-manager.md"] == "left alone"
    )
    agents_uninstall(ctx, (Editor.CLAUDE_CODE,))
    assert [path for path, content in files(ctx.folder).items() if content is not None] == [
        ".claude/agents/neon-db-manager.md"
    ]


def test_an_older_release_is_renewed(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr("neondba.assistant.agent.Agent.body", "An older text.\n")
        agents_install(ctx, (Editor.CURSOR,))
    renewed = done(agents_install(ctx, (Editor.CURSOR,)))
    assert renewed[".cursor/agents/neon-db-manager.md"] == "renewed"


def test_a_server_of_our_name_that_others_wrote_is_left_alone(ctx: Context) -> None:
    text = '{"mcpServers": {"neondba": {"url": "http://localhost:1/mcp"}}}'
    (ctx.folder / ".mcp.json").write_text(text)
    assert done(agents_install(ctx, (Editor.CLAUDE_CODE,)))[".mcp.json"] == "unchanged"
    agents_uninstall(ctx, (Editor.CLAUDE_CODE,))
    assert (ctx.folder / ".mcp.json").read_text() == text


def test_without_a_name_the_editors_of_the_folder_are_taken(ctx: Context) -> None:
    with pytest.raises(NotFoundProblem, match="no files of an editor"):
        agents_install(ctx)
    (ctx.folder / ".cursor").mkdir()
    assert agents_install(ctx, check=True).editors == ("Cursor",)
    assert files(ctx.folder) == {".cursor": None}


@pytest.mark.parametrize(
    ("path", "content"),
    [(".mcp.json", "{"), (".codex/config.toml", "[a"), (".codex/config.toml", "mcp_servers = {x = {}}\n")],
)
def test_a_file_that_cannot_be_read_stops_everything_before_it_begins(
    ctx: Context, path: str, content: str
) -> None:
    (ctx.folder / path).parent.mkdir(exist_ok=True)
    (ctx.folder / path).write_text(content)
    before = files(ctx.folder)
    with pytest.raises(ArgumentProblem, match=re.escape(path)) as caught:
        agents_install(ctx, tuple(Editor))
    assert "Nothing was changed" in (caught.value.hint or "")
    assert files(ctx.folder) == before


def test_a_folder_that_leads_elsewhere_is_refused(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (ctx.folder / ".claude").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArgumentProblem, match="leads out of"):
        agents_install(ctx, (Editor.CLAUDE_CODE,))


def test_the_agents_name_only_operations_and_skills_that_exist() -> None:
    known = capabilities.load()
    for agent in AGENTS:
        named = re.findall(r"`([a-z_]+(?:\.[a-z_-]+)?)`", agent.body)
        missing = [each for each in named if each not in {*known, "confirm", "find_operation"}]
        assert not missing, agent.name
        assert set(agent.skills) <= set(NAMES)
    assert set(LAYOUTS) == set(Editor)
    assert set(skills()) <= set(NAMES)
