"""The agents go into an editor's files and out again, byte for byte."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from neondba import capabilities
from neondba.assistant.agent import AGENTS
from neondba.assistant.editors import LAYOUTS, Editor
from neondba.assistant.operations_agents import AgentsInstalled, agents_install, agents_uninstall
from neondba.assistant.skill import NAMES, skills
from neondba.core.context import Context
from neondba.core.plan import PlannedOnly
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.core.settings import Settings
from neondba.core.whole_file import put

OWN = {"confirm", "dry_run", "find_operation", "run_operation"}
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
    assert set(done(agents_install(ctx, (Editor.CURSOR, Editor.CODEX))).values()) == {"unchanged"}
    again = done(agents_install(ctx, (Editor.CURSOR,), command="'/opt/my tools/neondba'"))
    assert again[".cursor/mcp.json"] == "renewed"
    entry = json.loads((ctx.folder / ".cursor/mcp.json").read_text())["mcpServers"]["neondba"]
    assert entry == {"command": "/opt/my tools/neondba", "args": ["mcp"]}
    agents_uninstall(ctx, (Editor.CURSOR, Editor.CODEX))
    assert files(ctx.folder) == {}


@pytest.mark.parametrize("command", ["", "  ", "'neondba"])
def test_a_command_without_words_is_refused(ctx: Context, command: str) -> None:
    with pytest.raises(ArgumentProblem, match="--command"):
        agents_install(ctx, (Editor.CURSOR,), command=command)


def test_the_next_step_says_so_where_an_editor_may_not_find_the_program(ctx: Context) -> None:
    said = agents_install(ctx, (Editor.CURSOR,), command="no-such-program").next
    assert "no-such-program is nowhere on this search path" in said[2]


def test_a_plan_names_the_skills_of_an_editor_in_one_step(ctx: Context) -> None:
    with pytest.raises(PlannedOnly) as planned:
        agents_install(replace(ctx, dry_run=True), (Editor.CLAUDE_CODE,))
    assert len(planned.value.plan.steps) == 4
    assert re.fullmatch(r"\.claude/skills: \d\d files written\.", planned.value.plan.steps[2])
    assert files(ctx.folder) == {}


def test_what_is_shown_says_whether_anything_was_written(ctx: Context) -> None:
    assert agents_install(ctx, (Editor.CURSOR,), check=True).as_text(80).startswith("Nothing was written.")
    assert agents_uninstall(ctx, (Editor.CURSOR,)).as_text(80).endswith("nothing of ours is there")


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


@pytest.mark.parametrize("renewed", [True, False])
def test_a_page_of_an_older_release_goes(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, renewed: bool
) -> None:
    mine = ctx.folder / ".cursor/skills/neon-prisma-orm/references/mine.md"
    mine.parent.mkdir(parents=True)
    mine.write_text("Mine.\n")
    before = files(ctx.folder)
    old = replace(skills()["neon-prisma-orm"], pages={"references/old.md": "# Old\n"})
    with monkeypatch.context() as older:
        older.setattr("neondba.assistant.install.skills", lambda: {old.name: old})
        agents_install(ctx, (Editor.CURSOR,))
    page = ".cursor/skills/neon-prisma-orm/references/old.md"
    assert (ctx.folder / page).exists()
    if renewed:
        assert done(agents_install(ctx, (Editor.CURSOR,)))[page] == "removed"
        assert not (ctx.folder / page).exists()
    agents_uninstall(ctx, (Editor.CURSOR,))
    assert files(ctx.folder) == before


def test_a_server_of_our_name_that_others_wrote_is_left_alone(ctx: Context) -> None:
    text = '{"mcpServers": {"neondba": {"url": "http://localhost:1/mcp"}}}'
    (ctx.folder / ".mcp.json").write_text(text)
    assert done(agents_install(ctx, (Editor.CLAUDE_CODE,)))[".mcp.json"] == "left alone"
    assert done(agents_uninstall(ctx, (Editor.CLAUDE_CODE,)))[".mcp.json"] == "left alone"
    assert (ctx.folder / ".mcp.json").read_text() == text


@pytest.mark.parametrize(
    ("editor", "path", "old", "new"),
    [
        (Editor.CURSOR, ".cursor/mcp.json", '["mcp"]', '["mcp", "--read-only"]'),
        (Editor.CURSOR, ".cursor/mcp.json", '"args"', '"env": {"A": "b"}, "args"'),
        (Editor.CURSOR, ".cursor/mcp.json", '"args"', '/* mine */ "args"'),
        (Editor.CODEX, ".codex/config.toml", '["mcp"]\n', '["mcp"]\n[mcp_servers.neondba.env]\nA = "b"\n'),
        (Editor.CODEX, ".codex/config.toml", '["mcp"]\n', '["mcp"]  # mine\n'),
    ],
)
def test_an_entry_that_was_edited_stays_and_is_named(
    ctx: Context, editor: Editor, path: str, old: str, new: str
) -> None:
    agents_install(ctx, (editor,))
    edited = (ctx.folder / path).read_text().replace(old, new)
    (ctx.folder / path).write_text(edited)
    for result in (agents_install(ctx, (editor,), command="uvx neondba"), agents_uninstall(ctx, (editor,))):
        (said,) = [each for each in result.files if each.path == path]
        assert (said.done, "server neondba" in said.why) == ("left alone", True)
    assert (ctx.folder / path).read_text() == edited


@pytest.mark.parametrize("text", ["", "\n", "  \r\n"])
def test_an_empty_file_of_servers_is_empty_again_afterwards(ctx: Context, text: str) -> None:
    paths = [ctx.folder / LAYOUTS[editor].servers for editor in Editor]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert set(done(agents_install(ctx, tuple(Editor))).values()) == {"written", "our entry added"}
    assert json.loads(paths[0].read_text())["mcpServers"]["neondba"]
    assert tomllib.loads(paths[3].read_text())["mcp_servers"]["neondba"]
    agents_uninstall(ctx, tuple(Editor))
    assert [path.read_bytes() for path in paths] == [text.encode()] * 4


def test_folders_that_two_editors_share_through_a_link_are_written_once(ctx: Context) -> None:
    (ctx.folder / ".agents/skills").mkdir(parents=True)
    (ctx.folder / ".agents/skills/mine.md").write_text("Mine.")
    (ctx.folder / ".claude").mkdir()
    (ctx.folder / ".claude/skills").symlink_to("../.agents/skills")
    before = files(ctx.folder)
    installed = done(agents_install(ctx, (Editor.CLAUDE_CODE, Editor.CODEX)))
    assert len([path for path in installed if path.endswith("neon-prisma-orm/SKILL.md")]) == 1
    agents_uninstall(ctx, (Editor.CLAUDE_CODE, Editor.CODEX))
    assert files(ctx.folder) == before
    assert (ctx.folder / ".claude/skills").is_symlink()


def test_a_file_that_is_a_link_stays_one(ctx: Context) -> None:
    (ctx.folder / ".cursor").mkdir()
    link = ctx.folder / ".cursor/mcp.json"
    link.symlink_to("../servers.json")
    agents_install(ctx, (Editor.CURSOR,))
    assert "neondba" in (ctx.folder / "servers.json").read_text()
    agents_uninstall(ctx, (Editor.CURSOR,))
    assert (link.is_symlink(), (ctx.folder / "servers.json").exists()) == (True, False)
    link.unlink()
    link.symlink_to("mcp.json")
    with pytest.raises(ArgumentProblem, match="leads to itself"):
        agents_install(ctx, (Editor.CURSOR,))


def test_when_one_file_cannot_be_written_none_is(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(ctx.folder)
    before = files(ctx.folder)

    def full(path: Path, content: bytes, *, mode: int | None = None) -> None:
        # Who runs the tests may write everywhere, as root in a container.
        if path.name == "config.toml" and b"neondba" in content:
            raise OSError(28, "No space left on device")
        put(path, content, mode=mode)

    monkeypatch.setattr("neondba.assistant.file_changes.put", full)
    with pytest.raises(ArgumentProblem, match=r"config.toml cannot be changed: No space left") as caught:
        agents_install(ctx, tuple(Editor))
    assert "All files are as they were" in (caught.value.hint or "")
    assert files(ctx.folder) == before


def test_when_one_file_cannot_be_removed_none_is(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    agents_install(ctx, (Editor.CURSOR,))
    before = files(ctx.folder)
    unlink = Path.unlink

    def closed(path: Path, missing_ok: bool = False) -> None:
        if path.name == "mcp.json":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", closed)
    with pytest.raises(ArgumentProblem, match=r"mcp.json cannot be changed: Permission denied"):
        agents_uninstall(ctx, (Editor.CURSOR,))
    assert files(ctx.folder) == before


def test_without_a_name_the_editors_of_the_folder_are_taken(ctx: Context) -> None:
    with pytest.raises(NotFoundProblem, match="no files of an editor"):
        agents_install(ctx)
    with pytest.raises(NotFoundProblem) as caught:
        agents_uninstall(ctx)
    assert "neondba agents uninstall" in (caught.value.hint or "")
    (ctx.folder / ".cursor").mkdir()
    assert agents_install(ctx, check=True).editors == ("Cursor",)
    assert files(ctx.folder) == {".cursor": None}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".mcp.json", "{"),
        (".mcp.json", '{"mcpServers": []}'),
        (".mcp.json", "[]"),
        (".codex/config.toml", "[a"),
        (".codex/config.toml", "mcp_servers = {x = {}}\n"),
    ],
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
        missing = [each for each in named if each not in {*known, *OWN}]
        assert not missing, agent.name
        assert set(agent.skills) <= set(NAMES)
    assert set(LAYOUTS) == set(Editor)
    assert set(skills()) <= set(NAMES)
