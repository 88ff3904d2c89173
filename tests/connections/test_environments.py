"""Environments are apart, or it is said in which file and line they are not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from connected import Shop

from neondba import capabilities
from neondba.connections.environments_files import environment_of, of_variable
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem
from neondba.core.settings import Settings

OLD, NEW = "ep-old-lake-a4k7x2bq", "ep-new-pond-b7m2q9zt"


def url(endpoint: str, role: str = "app", password: str = "one") -> str:
    return (
        f"postgresql://{role}:"
        + password
        + f"-Q7w9@{endpoint}.eu-central-1.aws.neon.tech/shop?sslmode=require"
    )


@pytest.fixture
def found(tmp_path: Path):
    """Check a project with these files."""

    def run(**files: str):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("0", ".").replace("-", "-")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        ctx = Context(settings=Settings(state_dir=tmp_path / "state"), folder=tmp_path)
        checked = capabilities.load()["setup.environments"].call(ctx, {})
        assert "Q7w9" not in checked.model_dump_json() + checked.as_text(80)
        return checked

    return run


def ids(checked) -> list[str]:
    return [fault.id for fault in checked.faults]


def test_environments_with_their_own_branch_role_and_password_are_apart(found):
    checked = found(**{
        "0env": f"DATABASE_URL={url(NEW, 'app_dev', 'two')}\n",
        "0env0production": f"DATABASE_URL={url(OLD)}\nDIRECT_URL={url(OLD + '-pooler')}\n",
        "0env0example": f"DATABASE_URL={url(OLD)}\n",
    })  # fmt: skip
    assert ids(checked) == [], checked.as_text(90)
    assert [line.name for line in checked.environments] == ["development", "production"]
    assert checked.said == "The environments are apart: development, production."
    assert any("NEON_API_KEY" in each for each in checked.not_checked)


def test_development_on_the_production_database_is_found_with_both_lines(found):
    checked = found(**{
        "0env0local": f"# mine\nDATABASE_URL={url(OLD + '-pooler')}\n",
        "0env0production": f"DATABASE_URL={url(OLD, 'app_prod', 'two')}\n",
    })  # fmt: skip
    assert ids(checked) == ["production-in-development"]
    assert [(place.path, place.line) for place in checked.faults[0].places] == [
        (".env.production", 1), (".env.local", 2),
    ]  # fmt: skip
    assert checked.faults[0].evidence == "read"


def test_the_same_password_is_found_on_different_branches_whatever_the_roles(found):
    checked = found(**{
        "0env0staging": f"DATABASE_URL={url(NEW)}\n", "0env0production": f"DATABASE_URL={url(OLD)}\n",
    })  # fmt: skip
    assert ids(checked) == ["same-password"]
    checked = found(**{"0env0staging": f"DATABASE_URL={url(NEW, 'other')}\n"})
    assert ids(checked) == ["same-password"]


def test_roles_of_one_name_are_one_login_only_where_the_passwords_may_be_the_same(found):
    checked = found(**{
        "0env0staging": f"DATABASE_URL={url(NEW, 'app', 'two')}\n",
        "0env0production": f"DATABASE_URL={url(OLD)}\n",
    })  # fmt: skip
    assert ids(checked) == []
    host = f"{NEW}.eu-central-1.aws.neon.tech"
    checked = found(**{"0env0staging": f"DATABASE_URL=postgresql://app@{host}/shop\n"})
    assert ids(checked) == ["same-role"]


def test_one_file_may_hold_two_environments_by_the_names_of_its_variables(found):
    checked = found(
        **{"0env": f"PROD_DATABASE_URL={url(OLD)}\nSTAGING_DATABASE_URL={url(OLD, 'b', 'two')}\n"}
    )
    assert ids(checked) == ["production-in-staging"]


def test_a_preview_that_falls_back_is_found_in_code_files_and_pipelines(found):
    checked = found(**{
        "db0ts": "const url =\n  process.env.PREVIEW_DATABASE_URL ?? process.env.DATABASE_URL;\n",
        "db0py": 'import os\nu = os.environ.get("STAGING_DATABASE_URL", os.environ["PROD_DATABASE_URL"])\n',
        "ok0ts": "const url = process.env.PROD_DATABASE_URL ?? process.env.DATABASE_URL;\n"
        "const t = process.env.TEST_DATABASE_URL ?? process.env.DEV_DATABASE_URL;\n",
        "0env": f"DATABASE_URL={url(OLD)}\n",
        "0env0production": f"DATABASE_URL={url(OLD, 'p', 'two')}\n",
        "0env0preview": "LOG=debug\n",
    })  # fmt: skip
    lines = {(fault.id, fault.places[0].path, fault.places[0].line) for fault in checked.faults}
    assert lines == {
        ("production-in-development", ".env.production", 1),
        ("staging-falls-back", "db.py", 2),
        ("preview-falls-back", "db.ts", 2),
        ("preview-falls-back", ".env.preview", 1),
    }


WORKFLOW = """name: ci
on:
  pull_request:
  push:
    branches: [main]
jobs:
  test:
    runs-on: ubuntu-24.04
    env:
      DATABASE_URL: ${{ secrets.PROD_DATABASE_URL }}
    steps:
      - run: pytest
  unclear:
    steps:
      - run: npm test
        env:
          DATABASE_URL: ${{ secrets.DATABASE_URL }}
  own:
    services:
      db:
        image: postgres:18
        env:
          POSTGRES_PASSWORD: ${{ secrets.POSTGRES_PASSWORD }}
    steps:
      - run: pytest
  deploy:
    if: github.ref == 'refs/heads/main'
    environment: production
    steps:
      - run: alembic upgrade head
        env:
          DATABASE_URL: ${{ secrets.PROD_DATABASE_URL }}
"""


def test_pipelines_that_reach_production_are_found_and_deployments_are_not(found):
    checked = found(**{"0github__workflows__ci0yml": WORKFLOW})
    assert [(fault.id, fault.places[0].line) for fault in checked.faults] == [
        ("production-in-ci", 10), ("one-secret-for-all", 17),
    ]  # fmt: skip


RESET = """on:
    pull_request:
        branches: [main]
jobs:
    build:
        steps:
            - run: npx prisma migrate reset --force
              env:
                  DATABASE_URL: ${{ secrets.DATABASE_URL }}
            # DATABASE_URL: ${{ secrets.DATABASE_URL }}
            - run: npx prisma db seed
              env:
                  DATABASE_URL: ${{ secrets.DATABASE_URL }}
    deploy:
        if: github.event_name == 'push'
        steps:
            - run: ./deploy ${{ secrets.DATABASE_URL }}
"""


def test_a_secret_that_pull_requests_use_is_named_once_with_every_line(found):
    checked = found(**{"0github__workflows__ci0yml": RESET})
    assert [[place.line for place in fault.places] for fault in checked.faults] == [[9, 13]]
    assert checked.faults[0].id == "one-secret-for-all"


def test_a_database_written_out_in_a_pipeline_is_found(found):
    checked = found(
        **{"docker-compose0prod0yml": f"services:\n  app:\n    environment:\n      DB: {url(OLD)}\n"}
    )
    assert [(fault.id, fault.places[0].line) for fault in checked.faults] == [("database-in-pipeline", 4)]


def test_a_file_that_git_tracks_is_found_and_an_ignored_one_is_still_read(found, tmp_path: Path):
    git = shutil.which("git") or "git"
    subprocess.run([git, "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(".env\n")
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={url(OLD)}\n")
    subprocess.run([git, "-C", str(tmp_path), "add", ".env.production", ".gitignore"], check=True)
    checked = found(**{"0env": f"DATABASE_URL={url(OLD, 'x', 'two')}\n"})
    assert ids(checked) == ["production-in-development", "env-file-tracked"]
    assert checked.faults[1].places[0].path == ".env.production"


def test_branches_are_compared_where_the_api_can_be_asked(shop: Shop, tmp_path: Path):
    main = shop.made["branch"]["name"]
    (tmp_path / ".env").write_text(f"DATABASE_URL={shop.pooled}\n")
    (tmp_path / ".env.staging").write_text(f"DATABASE_URL={shop.url}\n")
    checked = capabilities.load()["setup.environments"].call(shop.context(tmp_path), {})
    assert ids(checked) == ["same-branch", "same-password"]
    assert checked.faults[0].evidence == "shown"
    assert f"branch {main}" in checked.faults[0].said
    assert shop.password not in checked.model_dump_json() + checked.as_text(80)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    ctx = Context(settings=Settings(state_dir=tmp_path), folder=tmp_path)
    with pytest.raises(NotFoundProblem):
        capabilities.load()["setup.environments"].call(ctx, {"path": "nowhere"})


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        (".env", "development"), (".env.local", "development"), (".env.production.local", "production"),
        ("deploy/prod/.env", "production"), ("app/.env.test", "test"), ("staging.env", "staging"),
        ("apps/web/.env.preview", "preview"), (".env.vault", "development"),
    ],
)  # fmt: skip
def test_a_file_tells_its_environment_by_its_name_or_folder(path: str, environment: str):
    assert environment_of(path) == environment


def test_a_variable_tells_its_environment_only_by_a_whole_word():
    assert of_variable("PROD_DATABASE_URL") == "production"
    assert of_variable("DATABASE_URL_STAGING") == "staging"
    assert of_variable("PRODUCT_DATABASE_URL") is None
    assert of_variable("DATABASE_URL") is None


def test_an_address_in_parts_is_compared_like_a_whole_one(found):
    host = f"{OLD}.eu-central-1.aws.neon.tech"
    checked = found(**{
        "0env": f"PGHOST={host}\nPGUSER=a\nPGPASSWORD=x-Q7w9\nPGDATABASE=shop\n",
        "0env0production": f"DB_HOST={host}\nDB_USER=b\nDB_PASSWORD=y-Q7w9\nDB_NAME=shop\n",
    })  # fmt: skip
    assert ids(checked) == ["production-in-development"]
    assert [place.path for place in checked.faults[0].places] == [".env.production", ".env"]
