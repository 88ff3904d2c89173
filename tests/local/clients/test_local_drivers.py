"""Drivers and ORMs, unchanged: each takes the API's connection string and checks who it talks to."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import subprocess

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy
from client_parts import CLIENTS, changed

WHO = "select current_user, current_database()"
ANSWER = ("neondb_owner", "neondb")


def test_psycopg_3_binds_the_channel_and_checks_the_name(verified):
    assert "channel_binding=require" in verified
    with psycopg.connect(verified) as connection:
        assert connection.execute(WHO).fetchone() == ANSWER
        assert connection.pgconn.ssl_in_use


def test_psycopg_2_binds_the_channel_and_checks_the_name(verified):
    connection = psycopg2.connect(verified)
    with connection, connection.cursor() as cursor:
        cursor.execute(WHO)
        assert cursor.fetchone() == ANSWER
    connection.close()


@pytest.mark.shows("proxy.certificate")
def test_another_authority_is_not_trusted(url, tmp_path):
    with pytest.raises(psycopg.OperationalError, match=r"certificate verify failed"):
        psycopg.connect(changed(url, sslmode="verify-full", sslrootcert="system"))


def test_asyncpg_connects_directly_and_pooled(url, pooled, server):
    context = ssl.create_default_context(cafile=server.ca)

    async def ask(address):
        # It hands what it does not know to the server, as on Neon.
        connection = await asyncpg.connect(
            changed(address, without=("channel_binding", "sslmode")), ssl=context, statement_cache_size=0
        )
        try:
            rows = await connection.fetch("select n * $1::int as n from generate_series(1, 3) n", 2)
            return tuple(await connection.fetchrow(WHO)), [row["n"] for row in rows]
        finally:
            await connection.close()

    for address in (url, pooled):
        assert asyncio.run(ask(address)) == (ANSWER, [2, 4, 6])


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.shows("proxy.wake")
def test_sqlalchemy_survives_that_its_compute_was_suspended(api, project, url, driver):
    engine = sqlalchemy.create_engine(url.replace("postgresql:", f"postgresql+{driver}:"), pool_pre_ping=True)
    project_id, endpoint_id = project["project"]["id"], project["endpoints"][0]["id"]
    with engine.connect() as connection:
        assert tuple(connection.execute(sqlalchemy.text(WHO)).one()) == ANSWER
    api("POST", f"/projects/{project_id}/endpoints/{endpoint_id}/suspend")
    endpoint = f"/projects/{project_id}/endpoints/{endpoint_id}"
    while api("GET", endpoint)["endpoint"]["current_state"] != "idle":
        pass
    with engine.connect() as connection:
        assert tuple(connection.execute(sqlalchemy.text(WHO)).one()) == ANSWER
    engine.dispose()


def test_node_postgres_binds_the_channel_and_checks_the_name(node, url):
    said = node("node_postgres.mjs", URL=url)
    assert said == {"who": "neondb_owner", "base": "neondb", "sum": 6, "wrong": "28P01", "authorized": True}


def test_drizzle_creates_reads_and_rolls_back(node, url):
    assert node("drizzle.mjs", URL=url) == {"names": ["a", "b"], "after": ["a", "b"]}


def test_prisma_creates_reads_and_rolls_back(prisma, node, url, pooled):
    for address in (url, pooled):
        assert node("prisma.mts", URL=address, CLIENT=str(prisma)) == {
            "names": ["a", "b"],
            "after": ["a", "b"],
        }


@pytest.fixture(scope="module")
def prisma(tmp_path_factory):
    """Generate Prisma's client; its schema engine is no npm package, so it is named and not used."""
    target = CLIENTS / "generated"
    if not target.exists():
        environment = {
            **os.environ,
            "PRISMA_SCHEMA_ENGINE_BINARY": shutil.which("true"),
            "CHECKPOINT_DISABLE": "1",
        }
        subprocess.run(
            [
                str(CLIENTS / "node_modules/.bin/prisma"),
                "generate",
                "--schema",
                str(CLIENTS / "scripts/schema.prisma"),
            ],
            env=environment,
            cwd=CLIENTS,
            check=True,
            capture_output=True,
        )
    return target
