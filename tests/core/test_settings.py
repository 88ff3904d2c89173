"""Where a setting comes from, and which sources are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from neondba.core.problem import ArgumentProblem
from neondba.core.settings import Settings, described, environment_names, flag_of, load, room_tables

KEY = "nap" + "i_" + "x" * 12


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "repo" / "service"
    folder.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    return folder


def loaded(project: Path, flags: dict[str, object] | None = None, **environment: str) -> Settings:
    return load(
        flags, environment=environment, folder=project, user_file=project.parents[1] / "user" / "config.toml"
    )


def user_file(project: Path, text: str) -> None:
    (project.parents[1] / "user").mkdir()
    (project.parents[1] / "user" / "config.toml").write_text(text)


def test_without_any_source_the_defaults_hold(project: Path) -> None:
    settings = loaded(project)
    assert (settings.project, settings.step_limit) == (None, 120.0)
    assert settings.origin("project") == "default"
    assert settings.state_dir.name == "neondba"


def test_each_source_goes_before_the_next(project: Path) -> None:
    user_file(project, 'project = "user"\nstep-limit = 5')
    assert loaded(project).project == "user"
    (project / "pyproject.toml").write_text('[tool.neondba]\nproject = "shared"')
    assert loaded(project).project == "shared"
    (project / "neondba.toml").write_text('project = "own"')
    assert loaded(project).project == "own"
    assert loaded(project, NEON_PROJECT_ID="neon").project == "neon"
    assert loaded(project, NEON_PROJECT_ID="neon", NEONDBA_PROJECT="ours").project == "ours"
    final = loaded(project, {"project": "flag", "api_host": None}, NEONDBA_PROJECT="ours")
    assert final.project == "flag"
    assert final.step_limit == 5
    assert (final.origin("project"), final.origin("step_limit")[-11:]) == ("--project", "config.toml")


def test_only_the_users_own_file_says_where_the_key_is_sent(project: Path) -> None:
    user_file(project, 'api-host = "http://127.0.0.1:9/api/v2"')
    assert loaded(project).api_host == "http://127.0.0.1:9/api/v2"
    (project / "neondba.toml").write_text('api-host = "https://127.0.0.1:8/api/v2"')
    with pytest.raises(ArgumentProblem, match="decide where your API key is sent"):
        loaded(project)


def test_the_file_of_neons_own_command_line_names_the_project(project: Path) -> None:
    user_file(project, 'project = "user"')
    (project.parent / ".neon").write_text('{"projectId": "calm-sun-1", "orgId": "org-x", "branch": "dev"}')
    settings = loaded(project)
    assert settings.project == "calm-sun-1"
    assert settings.origin("project") == str(project.parent / ".neon")
    (project / "neondba.toml").write_text('project = "own"')
    assert loaded(project).project == "own"


def test_a_broken_context_file_is_named(project: Path) -> None:
    (project / ".neon").write_text('{"projectId": ')
    with pytest.raises(ArgumentProblem, match=r"\.neon cannot be read"):
        loaded(project)
    (project / ".neon").write_text("[]")
    with pytest.raises(ArgumentProblem, match="it holds no JSON object"):
        loaded(project)


def test_the_origin_names_the_variable(project: Path) -> None:
    assert loaded(project, NEON_API_KEY=KEY).origin("api_key") == "NEON_API_KEY"


def test_files_above_the_repository_are_not_read(project: Path) -> None:
    (project.parents[1] / "neondba.toml").write_text('project = "outside"')
    assert loaded(project).project is None


def test_the_nearest_project_file_above_is_read(project: Path) -> None:
    (project.parent / "neondba.toml").write_text('project = "top"')
    assert loaded(project).project == "top"


def test_without_a_repository_the_search_ends_at_the_root(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    assert loaded(tmp_path / "bare").project is None


def test_the_review_table_is_left_to_the_review(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.neondba.review]\nskip = []")
    assert loaded(project).project is None


def test_a_key_in_a_file_is_refused_without_showing_it(project: Path) -> None:
    (project / "neondba.toml").write_text(f'api-key = "{KEY}"')
    with pytest.raises(ArgumentProblem) as caught:
        loaded(project)
    assert caught.value.code == "secret-in-settings-file"
    assert "NEONDBA_API_KEY" in str(caught.value.hint)
    assert KEY not in caught.value.report().model_dump_json()


@pytest.mark.parametrize(
    ("line", "hint"), [("projct = 1", "Did you mean project?"), ("zzz = 1", "Remove the line.")]
)
def test_an_unknown_name_is_refused(project: Path, line: str, hint: str) -> None:
    (project / "neondba.toml").write_text(line)
    with pytest.raises(ArgumentProblem) as caught:
        loaded(project)
    assert (caught.value.code, caught.value.hint) == ("setting-unknown", hint)


@pytest.mark.parametrize("content", [b"= broken", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(project: Path, content: bytes) -> None:
    (project / "neondba.toml").write_bytes(content)
    with pytest.raises(ArgumentProblem) as caught:
        loaded(project)
    assert caught.value.code == "settings-file-unreadable"
    assert "neondba.toml" in caught.value.message


def test_a_folder_in_place_of_the_user_file_is_named(project: Path) -> None:
    (project.parents[1] / "user" / "config.toml").mkdir(parents=True)
    with pytest.raises(ArgumentProblem) as caught:
        loaded(project)
    assert caught.value.code == "settings-file-unreadable"


def test_a_wrong_type_names_setting_and_source(project: Path) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        loaded(project, NEONDBA_STEP_LIMIT="soon")
    assert caught.value.message.startswith("step_limit from NEONDBA_STEP_LIMIT is not usable: ")
    assert caught.value.hint == "Correct it there, or override it with --step-limit."


def test_names_follow_from_the_field() -> None:
    assert flag_of("state_dir") == "--state-dir"
    assert environment_names("state_dir") == ["NEONDBA_STATE_DIR"]
    assert environment_names("api_key") == ["NEONDBA_API_KEY", "NEON_API_KEY"]


def test_every_setting_is_described() -> None:
    assert [name for name, description in described() if not description] == []


def test_the_real_environment_is_read(monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("NEONDBA_PROJECT", "real")
    assert load().project == "real"


def test_the_tables_of_rooms_are_no_settings(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.neondba.branches."preview/*"]\nexpires = "7d"')
    (project / "neondba.toml").write_text("[mask]\nkeep = []\n[branches.main]\nprotected = true")
    assert loaded(project).project is None
    assert [(Path(source).name, table) for source, table in room_tables(project, "branches")] == [
        ("pyproject.toml", {"preview/*": {"expires": "7d"}}),
        ("neondba.toml", {"main": {"protected": True}}),
    ]
    assert room_tables(project, "review") == []


def test_a_room_that_is_no_table_is_refused(project: Path) -> None:
    (project / "neondba.toml").write_text("branches = 3")
    with pytest.raises(ArgumentProblem, match=r"branches in .*neondba.toml is no table"):
        room_tables(project, "branches")
