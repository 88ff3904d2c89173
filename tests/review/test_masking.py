"""Nothing that a report quotes holds a secret."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neondba.project.tree import MemoryTree
from neondba.review.engine import run
from neondba.review.masking import masked
from neondba.review.rule import rules

HOST = "ep-old-lake-a4k7x2bq.eu-central-1.aws.neon.tech"
SAFE = string.ascii_letters + string.digits + "-._~"
SIGNS = SAFE + "!#$%^&*+=?/@:(),;"

LINES = [
    "postgresql://shop:{}@" + HOST + "/shop",
    'DATABASE_URL="postgresql://shop:{}@' + HOST + '/shop?sslmode=require"',
    "engine = create_engine('postgresql+asyncpg://shop:{}@" + HOST + "/shop', echo=True)",
    "      - DATABASE_URL=postgres://shop:{}@" + HOST + ":5432/shop",
    '"Bash(psql \\"postgresql://shop:{}@' + HOST + "/shop\\\" -c 'select 1')\",",
    "| `postgresql://shop:{}@" + HOST + "/shop` | pooled |",
    "redis://default:{}@cache.shop-orders.io:6379",
]
ASSIGNMENTS = [
    'PASSWORD = "{}"', "PGPASSWORD='{}'", 'secret_key: str = "{}"', 'os.getenv("JWT_SECRET", "{}")',
    'secret: process.env.AUTH_SECRET ?? "{}",', '  "apiKey": "{}",', "connect(host='db', password='{}')",
    '"password\\": \\"{}\\""', 'if settings.secret == "{}":',
]  # fmt: skip
FILES = {
    "docker-compose.yml": "services:\n  api:\n    environment:\n      DATABASE_URL: {url}\n",
    ".env": "DATABASE_URL={url}\nJWT_SECRET={secret}\n",
    ".env.example": "DATABASE_URL={url}\nDIRECT_URL={url}\n",
    "README.md": "# Set-up\n\n```\nexport DATABASE_URL='{url}'\n```\n\nThe password is `{secret}`.\n",
    ".claude/settings.local.json": '{{"allow": ["Bash(PGPASSWORD={secret} psql \\"{url}\\")"]}}\n',
    "notebook.ipynb": '{{"cells": [{{"source": ["engine = create_engine(\\"{url}\\")\\n"]}}]}}\n',
    "deploy.sh": "psql '{url}' -c 'select 1'\nexport API_KEY='{secret}'\n",
    "alembic.ini": "[alembic]\nsqlalchemy.url = {url}\n",
    "alembic/env.py": (
        "from alembic import context\ncontext.config.set_main_option('sqlalchemy.url', '{url}')\n"
    ),
    "app/db.py": (
        "import os\nfrom fastapi import FastAPI\nfrom sqlmodel import create_engine\n\n"
        "URL = os.getenv('DATABASE_URL', '{url}?sslmode=disable')\n"
        "JWT_SECRET = os.environ.get('JWT_SECRET', '{secret}')\n"
        "engine = create_engine('{url}', echo=True)\nother = create_engine(URL, password='{secret}')\n"
        "print('{url}', URL)\napp = FastAPI()\n"
    ),
    "src/db.ts": (
        "const url = process.env.DATABASE_URL ?? '{url}';\nconst secret = process.env.AUTH_SECRET || "
        "'{secret}';\n"
        "export const pool = new "
        "Pool({{ connectionString: '{url}', ssl: {{ rejectUnauthorized: false }} }});\n"
    ),
}


def passwords(alphabet: str) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=8, max_size=32).filter(
        lambda text: len(set(text)) > 5 and text[0].isalnum() and any(c.isdigit() for c in text)
    )


@pytest.mark.parametrize("line", LINES)
@given(password=passwords(SIGNS))
def test_the_password_of_an_address_is_hidden(line: str, password: str) -> None:
    assume("://" not in password)
    shown = masked(line.format(password))
    assert password not in shown
    assert "shop" in shown


@pytest.mark.parametrize("line", ASSIGNMENTS)
@given(password=passwords(SIGNS))
def test_an_assigned_secret_is_hidden(line: str, password: str) -> None:
    assert password not in masked(line.format(password))


@pytest.mark.parametrize(
    "line",
    [
        'f"postgresql://{user}:{password}@{host}/{name}"',
        "DATABASE_URL: postgresql://shop:${PASSWORD}@db:5432/shop",
        'secret = os.environ["AUTH_SECRET"]',
        "secret: process.env.BETTER_AUTH_SECRET,",
        "password: str = Field(min_length=8)",
        "engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)",
        "op.create_index('ix_order_lines_product_id_created_at', 'order_lines')",
        "token: Mapped[str]",
    ],
)
def test_code_without_a_secret_stays_readable(line: str) -> None:
    assert masked(line) == line


@settings(deadline=None, max_examples=25)
@given(password=passwords(SIGNS), secret=passwords(SAFE))
def test_no_report_of_any_rule_holds_a_secret(password: str, secret: str) -> None:
    assume("://" not in password)
    url = f"postgresql://shop:{password}@{HOST}/shop"
    tree = MemoryTree({path: text.format(url=url, secret=secret) for path, text in FILES.items()})
    outcome = run(tree, rules().values())
    said = "\n".join(finding.model_dump_json() for finding in outcome.findings)
    said = said.replace("\\\\", "\\").replace('\\"', '"')
    assert password not in said
    assert secret not in said


def test_the_rules_do_find_what_they_must_not_show() -> None:
    password = "Wq7rTz2K" + "pX9v"
    url = f"postgresql://shop:{password}@{HOST}/shop"
    tree = MemoryTree({path: text.format(url=url, secret=password) for path, text in FILES.items()})
    found = {finding.path for finding in run(tree, rules().values()).findings if finding.rule == "NDB101"}
    assert found == set(FILES)
