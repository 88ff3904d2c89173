"""Bad and hostile projects: reported, never a crash, never a silent skip, and nothing of them runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import commit, context, git, write

from neondba.core.operation import find
from neondba.core.problem import Problem
from neondba.review.model import Review
from neondba.review.operations import review

FAULT = "create table orders (id bigint primary key, price float8);\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    write(folder, {"fault.sql": FAULT})
    return folder


def reviewed(folder: Path, **arguments: object) -> Review:
    result = find("review").call(context(folder, folder.parent / "state"), {"path": ".", **arguments})
    assert isinstance(result, Review)
    assert [gap for gap in result.not_checked if "our own fault" in gap.missing] == []
    if not arguments.get("base"):
        assert "fault.sql" in {finding.path for finding in result.findings}
    return result


def told(result: Review) -> dict[str, str]:
    return {item.path: item.reason for item in result.unparsed}


def test_a_file_with_merge_markers_is_reported_and_the_rest_of_it_read(shop: Path) -> None:
    ours = "<" * 7 + " HEAD\nPORT = 1\n" + "=" * 7 + "\nPORT = 2\n" + ">" * 7 + " other\n"
    write(shop, {"a.py": f"import os\n{ours}URL = os.environ['URL']\n", "b.sql": f"{FAULT}{ours}"})
    write(shop, {"settings.toml": f"[a]\n{ours}"})
    result = reviewed(shop)
    assert {"a.py", "b.sql"} <= told(result).keys()
    assert ("settings.toml", "conflict-markers") in {(f.path, f.name) for f in result.findings}
    assert "b.sql" in {f.path for f in result.findings}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_other_encodings_are_read(shop: Path, encoding: str) -> None:
    (shop / "b.sql").write_bytes(f"-- Größe\n{FAULT.replace('orders', 'bills')}".encode(encoding))
    assert "b.sql" in {f.path for f in reviewed(shop).findings}


def test_a_declared_encoding_is_followed(shop: Path) -> None:
    (shop / "a.py").write_bytes("# -*- coding: latin-1 -*-\nNAME = 'Größe'\n".encode("latin-1"))
    assert told(reviewed(shop)) == {}


def test_a_file_larger_than_memory_is_told_and_not_read(shop: Path) -> None:
    (shop / "dump.sql").write_bytes(b"insert into t values (1);\n" * 100_000)
    os.truncate(shop / "dump.sql", 1 << 40)
    assert "larger than" in told(reviewed(shop))["dump.sql"]


def test_nul_bytes_are_told(shop: Path) -> None:
    (shop / "a.py").write_bytes(b"x = 1\n\0\n")
    (shop / "late.py").write_bytes(b"x = 1\n" * 3000 + b"\0\n")
    (shop / "picture.png").write_bytes(b"\x89PNG\0\0")
    said = told(reviewed(shop))
    assert {"a.py", "late.py"} <= said.keys()
    assert "picture.png" not in said


def test_links_in_a_circle_and_out_of_the_project_are_told_and_not_followed(
    shop: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "outside"
    write(secret, {"secret.sql": FAULT.replace("orders", "secrets"), "x/deep.sql": FAULT})
    (shop / "circle").symlink_to("circle")
    (shop / "up").symlink_to("..")
    (shop / "nowhere.sql").symlink_to("gone.sql")
    (shop / "linked.sql").symlink_to(secret / "secret.sql")
    (shop / "folder").symlink_to(secret)
    (shop / "inside.sql").symlink_to("fault.sql")
    for prepare in (lambda: None, lambda: commit(shop, {})):
        prepare()
        result = reviewed(shop)
        said = told(result)
        assert {"circle", "up", "nowhere.sql", "linked.sql", "folder"} <= said.keys()
        assert "inside.sql" not in said
        assert "secrets" not in result.model_dump_json()


def test_python_of_the_future_is_read(shop: Path) -> None:
    text = """
        import os
        name = os.environ["URL"]
        query = t"select {name}"

        def load(node: Later) -> Later:
            try:
                return node
            except ValueError, TypeError:
                return None

        class Box[T = int]:
            item: T

        type Pair[A] = tuple[A, A]

        class Later: ...
    """
    import textwrap

    write(shop, {"a.py": textwrap.dedent(text)})
    said = told(reviewed(shop))
    assert "a.py" not in said or 't"' in said["a.py"] or "template" in said["a.py"]


NAMES = ["a\x1b]0;owned\x07.sql", "new\nline.sql", "::error::x,y.sql", "\u202egpj.sql", "<img src=x>.sql"]


def test_names_that_steer_terminals_are_shown_harmlessly(shop: Path) -> None:
    write(shop, dict.fromkeys(NAMES, FAULT))
    (shop / os.fsdecode(b"caf\xe9.sql")).write_text(FAULT)
    result = reviewed(shop)
    assert len({f.path for f in result.findings}) == len(NAMES) + 2
    for shown in (result.as_markdown(), result.as_html(), result.as_github()):
        assert [c for c in shown if not c.isprintable() and c not in "\n\t"] == []
    assert "<img" not in result.as_html()
    assert result.as_github().count("::warning file=") == len(result.findings)
    [run] = result.as_sarif()["runs"]
    places = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]]
    assert all(place.isascii() and place.isprintable() for place in places)
    done = subprocess.run(
        [sys.executable, "-m", "neondba", "review", str(shop), "--format", "json"],
        capture_output=True,
        check=False,
    )
    assert b"\x1b" not in done.stdout
    assert "\u202e" not in done.stdout.decode()


@pytest.mark.parametrize(
    "text", ["[review", "review = 3\n", "[review]\nignore = 3\n", "[review.ignore", "\0"]
)
def test_broken_settings_are_told(shop: Path, text: str) -> None:
    write(shop, {"neondba.toml": text})
    ctx = context(shop.parent, shop.parent / "state")
    result = find("review").call(ctx, {"path": "shop"})
    assert "neondba.toml" in told(result)
    assert "fault.sql" in {f.path for f in result.findings}


def test_minified_files_are_read_in_time(shop: Path) -> None:
    body = 'var a=function(b){return prisma.user.findMany({where:{id:b}})},secret="x",url="postgresql://h/d";'
    write(
        shop,
        {"bundle.js": body * 35_000, "one.sql": "select 1 + " * 100_000 + "1;", "one.py": "x=1;" * 200_000},
    )
    # What takes the square of a file's length here takes hours: the suite's time limit ends it.
    assert "fault.sql" in {f.path for f in reviewed(shop).findings}


def test_deep_nesting_is_told_and_the_others_are_read(shop: Path) -> None:
    deep = 3000
    files = {
        "a.py": "from sqlmodel import Session\nx = " + "(" * deep + ")" * deep + "\n",
        "b.py": "import fastapi\n" + "".join(" " * n + "if session:\n" for n in range(90)) + " " * 90 + "x\n",
        "c.py": "from sqlmodel import select\nx = " + "-" * 50_000 + "1\n",
        "d.json": "[" * 50_000, "e.sql": "select " + "(" * deep + "1" + ")" * deep + ";\n",
        "f.ts": "import { PrismaClient } from '@prisma/client';\nlet x = " + "[" * deep + "]" * deep + ";\n",
        "package.json": '{"a":' * 5000, "compose.yml": "a:\n" + "".join(" " * n + "a:\n" for n in range(500)),
        "g.toml": "a = " + "[" * 5000, "h.py": "fastapi" + ".a" * 20_000 + "\n",
    }  # fmt: skip
    write(shop, files)
    said = told(reviewed(shop))
    assert {"a.py", "c.py"} <= said.keys()


TRAP = "import pathlib\npathlib.Path({!r}).write_text('ran')\n"


def test_no_code_of_the_project_runs(shop: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    names = [
        "conftest.py", "setup.py", "sitecustomize.py", "usercustomize.py", "alembic/env.py",
        "alembic/versions/1.py",
        "rich.py", "pydantic.py", "neondba.py", "app/main.py", "manage.py", "postgast.py", "noxfile.py",
    ]  # fmt: skip
    trap = TRAP.format(str(mark)) + "revision = '1'\ndown_revision = None\nfrom sqlmodel import SQLModel\n"
    mako = "<% import pathlib; pathlib.Path(" + repr(str(mark)) + ").write_text('ran') %>${upgrades}"
    write(shop, {**dict.fromkeys(names, trap), "alembic/script.py.mako": mako, "alembic.ini": "[alembic]\n"})
    script = Path(sys.executable).with_name("neondba")
    for more in ([], ["--fix", "--dry-run", "--allow-dirty"]):
        done = subprocess.run(
            [str(script), "review", *more, "--state-dir", str(tmp_path / "state")],
            cwd=shop,
            capture_output=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr.decode()
    assert not mark.exists()


def test_no_setting_of_the_repository_runs_a_program(shop: Path, tmp_path: Path) -> None:
    base = commit(shop, {".gitattributes": "* filter=evil diff=evil\n", "b.sql": "select 1;\n"})
    mark, trap = tmp_path / "ran", tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    trap.chmod(0o755)
    for hook in ("post-index-change", "pre-auto-gc", "reference-transaction", "fsmonitor-watchman"):
        (shop / ".git" / "hooks" / hook).write_text(trap.read_text())
        (shop / ".git" / "hooks" / hook).chmod(0o755)
    settings = {
        "core.fsmonitor": str(trap), "core.hooksPath": str(shop / ".git" / "hooks"), "core.pager": str(trap),
        "diff.external": str(trap), "diff.evil.textconv": str(trap), "diff.evil.command": str(trap),
        "filter.evil.clean": str(trap), "filter.evil.smudge": str(trap), "filter.evil.process": str(trap),
        "core.sshCommand": str(trap), "core.alternateRefsCommand": str(trap), "credential.helper": f"!{trap}",
        "extensions.partialClone": "origin", "remote.origin.url": f"ext::{trap}",
        "remote.origin.promisor": "true", "remote.origin.uploadpack": str(trap),
        "protocol.ext.allow": "always", "core.repositoryFormatVersion": "1",
    }  # fmt: skip
    with (shop / ".git" / "config").open("a") as file:
        for name, value in settings.items():
            section, _, key = name.rpartition(".")
            head, _, rest = section.partition(".")
            title = f'{head} "{rest}"' if rest else head
            file.write(f'[{title}]\n\t{key} = "{value}"\n')
    write(shop, {"b.sql": "select 2;\n"})
    blob = next(p for p in (shop / ".git" / "objects").glob("??/*"))
    reviewed(shop)
    reviewed(shop, base=base)
    ctx = context(shop, tmp_path / "state")
    ctx.dry_run = True
    find("fix").call(ctx, {"path": "."})
    blob.unlink()
    reviewed(shop, base=None)
    assert not mark.exists()
    assert trap.exists()


def test_a_hostile_monitor_would_run_without_our_settings(shop: Path, tmp_path: Path) -> None:
    commit(shop, {})
    mark, trap = tmp_path / "ran", tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {mark}\n")
    trap.chmod(0o755)
    git(shop, "config", "core.fsmonitor", str(trap))
    git(shop, "status")
    assert mark.exists(), "git no longer runs this: choose another trap for the test above"


def test_submodules_and_nested_repositories_are_told(shop: Path, tmp_path: Path) -> None:
    commit(tmp_path / "other", {"b.sql": FAULT}) if (tmp_path / "other").mkdir() is None else None
    commit(shop, {})
    git(
        shop,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        str(tmp_path / "other"),
        "vendor/other",
    )
    git(tmp_path, "clone", "-q", str(tmp_path / "other"), str(shop / "loose"))
    said = told(reviewed(shop))
    assert {"vendor/other", "loose"} <= said.keys()
    git(shop, "commit", "-qam", "submodule")
    assert "vendor/other" in told(reviewed(shop, revision="HEAD"))


def test_a_bare_repository_asks_for_a_revision(shop: Path, tmp_path: Path) -> None:
    commit(shop, {})
    git(tmp_path, "clone", "-q", "--bare", str(shop), "bare.git")
    bare = context(tmp_path / "bare.git", tmp_path / "state")
    with pytest.raises(Problem) as caught:
        review(bare, Path())
    assert caught.value.code == "repository-bare"
    assert "--revision HEAD" in (caught.value.hint or "")
    assert [f.path for f in review(bare, Path(), revision="HEAD").findings] == ["fault.sql"]


def test_a_repository_that_git_cannot_read_is_told(shop: Path) -> None:
    commit(shop, {})
    (shop / ".git" / "index").write_bytes(b"broken")
    assert "git could not list the files" in told(reviewed(shop))[".git"]


def test_a_repository_of_another_user_is_read_as_git_would(shop: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    commit(shop, {".gitignore": "built/\n"})
    write(shop, {"built/b.sql": FAULT})
    for place in [shop, *shop.rglob("*")]:
        os.chown(place, 12345, 12345)
    result = reviewed(shop)
    assert {f.path for f in result.findings} == {"fault.sql"}
    assert ".git" not in told(result)


def test_sql_of_another_dialect_is_told(shop: Path) -> None:
    write(shop, {"b.sql": "CREATE TABLE `t` (`id` int(11) NOT NULL AUTO_INCREMENT) ENGINE=InnoDB;\n"})
    assert "b.sql" in told(reviewed(shop))
