"""Addresses in text: their parts, and whether their password may open something."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from neondba.project.addresses import Addresses, in_text
from neondba.project.tree import MemoryTree

LIVE = "Wq7rTz2K" + "pX9v"
NEON = "ep-old-lake-a4k7x2bq.eu-central-1.aws.neon.tech"


def live(text: str) -> list[bool]:
    return [address.is_live for address in in_text("x", text)]


@pytest.mark.parametrize(
    "host",
    [
        NEON,
        "ep-old-lake-a4k7x2bq-pooler.us-east-2.aws.neon.tech",
        "shop.c9akciq32zqp.us-east-1.rds.amazonaws.com",
        "db.qwzjrkvmtnxbplshdfgy.supabase.co",
        "dpg-cq7a1b8gph6c73b2k1ag-a.oregon-postgres.render.com",
        "db.shop-orders.io",
        "containers-us-west-12.railway.app",
        "203.0.113.7",
    ],
)
def test_a_password_of_a_public_host_is_live(host: str) -> None:
    assert live(f"postgresql://shop:{LIVE}@{host}:5432/orders?sslmode=require") == [True]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "db",
        "postgres",
        "host.docker.internal",
        "10.0.0.3",
        "db.shop.svc.cluster.local",
        "[::1]",
        "ep-xxx.us-east-1.aws.neon.tech",
        "ep-example-123456.us-east-2.aws.neon.tech",
        "host.neon.tech",
        "db.example.com",
        "ep-cool-darkness-123456.us-east-2.aws.neon.tech",
        "${HOST}",
        "your-host.com",
        "db.abcdefghijklmnop.supabase.co",
    ],
)
def test_a_password_of_a_private_or_invented_host_is_not_live(host: str) -> None:
    assert not any(live(f"postgresql://shop:{LIVE}@{host}/orders"))


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "xxx",
        "npg_xxxxxxxxxxxx",
        "${PW}",
        "<password>",
        "[password]",
        "...",
        "shop",
        "orders",
        "AbC123dEf",
    ],
)
def test_a_stand_in_for_the_password_is_not_live(password: str) -> None:
    assert not any(live(f"postgresql://shop:{password}@{NEON}/orders"))


def test_a_web_address_is_no_store() -> None:
    assert live(f"https://shop:{LIVE}@api.shop-orders.io/orders") == [False]


def test_lines_and_parts_are_read() -> None:
    tree = MemoryTree({"a.md": f"one\ntwo `postgres://shop:{LIVE}@{NEON}:6432/orders?x=1` three\n"})
    [address] = Addresses.gather(tree).all
    assert (address.line, address.scheme, address.user, address.host) == (2, "postgres", "shop", NEON)
    assert (address.port, address.rest) == ("6432", "/orders?x=1")
    assert address.shown == f"postgres://shop:***@{NEON}/orders"


@given(st.text("abcXYZ0189!#$%^&*+=?/@:.,;-_~", min_size=1, max_size=30))
def test_the_host_never_holds_a_part_of_the_password(password: str) -> None:
    assume("://" not in password)
    [address] = in_text("x", f'"postgresql://shop:{password}@{NEON}/orders"')
    assert address.host == NEON
    assert address.password.reveal() == password


def test_a_random_password_is_live_even_where_the_host_looks_invented() -> None:
    scheme, password = "postgre" + "sql", "vT8q" + "LwZ3nK0yRb"
    host = "ep-cool-river-a1b2c3d4.us-east-2.aws.neon.tech"
    [random] = in_text("a.md", f"{scheme}://neondb_owner:{password}@{host}/neondb")
    [invented] = in_text("a.md", f"{scheme}://neondb_owner:AbC123dEf@{host}/neondb")
    [example] = in_text("a.md", f"{scheme}://neondb_owner:{password}@ep-example.aws.neon.tech/neondb")
    assert (random.is_live, invented.is_live, example.is_live) == (True, False, False)
