"""Credentials in files of variables, and who else uses them; no database here."""

from __future__ import annotations

from pathlib import Path

import pytest

from neondba.access.rotate_consumers import in_project
from neondba.access.rotate_files import Credential, Holding, env_files, holdings, switched
from neondba.core.secret import Secret
from neondba.project import env_file

OURS, OTHER = "ep-calm-sea-123456", "ep-other-sea-654321"
OLD, NEW = "old" + "x" * 9, "new" + "y" * 9
HOST = "c-2.us-east-2.aws.neon.tech"
FRESH = Credential("app_b", Secret(NEW))


def changed(text: str) -> str:
    parsed = env_file.parsed(text.encode())
    return switched(parsed, ("app", "app_b"), {OURS}, FRESH).render().decode()


@pytest.mark.parametrize(
    "shape",
    [
        "URL=postgresql://{who}@" + OURS + "-pooler." + HOST + "/neondb?sslmode=require # mine\n",
        "URL='postgresql+asyncpg://{who}@" + OURS + "." + HOST + ":5432/neondb?ssl=require'\r\n",
        'export URL="postgres://{who}@127.0.0.1:5433/neondb?options=endpoint%3D' + OURS + '-pooler"\n',
    ],
)
def test_only_the_credential_in_a_url_changes(shape):
    assert changed(shape.format(who=f"app:{OLD}")) == shape.format(who=f"app_b:{NEW}")


def test_variables_for_user_and_password_change_together():
    ours = "PGHOST={host}\nPGUSER={user}\nPGPASSWORD={password}\n"
    text = ours + "DB_USER=app\nDB_PASSWORD=kept\nDB_HOST=localhost\n"
    host = f"{OURS}.{HOST}"

    now = changed(text.format(host=host, user="app", password=OLD))

    assert now == text.format(host=host, user="app_b", password=NEW)


@pytest.mark.parametrize("who", [f"owner:{OLD}@{OURS}", f"app:{OLD}@{OTHER}", f"app@{OURS}"])
def test_other_roles_other_endpoints_and_urls_without_a_password_stay(who):
    text = f"URL=postgresql://{who}.{HOST}/neondb\n"

    assert changed(text) == text


def test_examples_and_installed_packages_hold_no_credentials(tmp_path):
    for name in (".env", ".env.local", ".env.example", "node_modules/x/.env", "sub/prod.env", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("A=1\n")

    assert [path.relative_to(tmp_path).as_posix() for path in env_files(tmp_path, ())] == [
        ".env",
        ".env.local",
        "sub/prod.env",
    ]


def test_the_consumers_of_a_credential_are_found(tmp_path: Path):
    url = f"postgresql://app:{OLD}@{OURS}.{HOST}/neondb"
    (tmp_path / ".env").write_text(f"DATABASE_URL={url}\n")
    (tmp_path / "compose.yaml").write_text(
        "services:\n  web:\n    environment:\n      URL: ${DATABASE_URL}\n"
    )
    (tmp_path / "app.py").write_text("import os\nurl = os.environ['DATABASE_URL']\n")
    (tmp_path / "old.py").write_text(f"# once\nurl = '{url}'\n")
    flow = tmp_path / ".github" / "workflows" / "ci.yml"
    flow.parent.mkdir(parents=True)
    flow.write_text("env:\n  A: ${{ secrets.PROD_DATABASE_URL }}\n  B: ${{ secrets.NPM_TOKEN }}\n")

    held = holdings([tmp_path / ".env"], ("app",), {OURS})
    found = in_project(tmp_path, held, {each.credential.password for each in held})

    assert held == [Holding(tmp_path / ".env", Credential("app", Secret(OLD)), ("DATABASE_URL",))]
    assert [(each.kind, each.where, each.by_hand) for each in found] == [
        ("text", "old.py:2", True),
        ("secret", ".github/workflows/ci.yml", True),
        ("code", "compose.yaml", False),
        ("code", "app.py", False),
    ]
    assert all(OLD not in each.model_dump_json() for each in found)
