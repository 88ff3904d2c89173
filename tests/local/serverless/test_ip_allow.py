"""Which addresses a project lets in."""

from __future__ import annotations

import psycopg
import pytest
from driver import Driver, api

from neondba.local.control import ip_allow


def refused(entry: str, address: str) -> bool:
    return ip_allow.refusal({"allowed_ips": {"ips": [entry]}}, address, protected=False) is not None


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.7", "::ffff:192.0.2.7", "::1"),
        ("192.0.2.10-192.0.2.20", "192.0.2.20", "192.0.2.21"),
        ("192.0.2.10 - 192.0.2.20", "192.0.2.10", "192.0.2.9"),
        ("192.0.2.9/24", "192.0.2.255", "192.0.3.0"),
        ("2001:db8::1", "2001:db8:0::1", "2001:db8::2"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("2001:db8::1-2001:db8::f", "2001:db8::e", "192.0.2.7"),
        ("0.0.0.0/0", "127.0.0.1", "::1"),
    ],
)
@pytest.mark.shows("ip-allow.list")
def test_an_entry_holds_what_it_says(entry: str, inside: str, outside: str) -> None:
    assert not refused(entry, inside)
    assert refused(entry, outside)


@pytest.mark.parametrize("entry", ["", "nonsense", "1.2.3.4-", "1.2.3.4-::1", "1.2.3.4/99"])
def test_nonsense_lets_nobody_in(entry: str) -> None:
    assert refused(entry, "1.2.3.4")


def test_no_list_lets_everybody_in() -> None:
    for settings in ({}, {"allowed_ips": None}, {"allowed_ips": {"ips": []}}):
        assert ip_allow.refusal(settings, "192.0.2.7", protected=True) is None


@pytest.mark.shows("ip-allow.list")
def test_a_list_may_hold_for_protected_branches_only() -> None:
    settings = {"allowed_ips": {"ips": ["192.0.2.7"], "protected_branches_only": True}}
    assert ip_allow.refusal(settings, "127.0.0.1", protected=False) is None
    said = ip_allow.refusal(settings, "127.0.0.1", protected=True)
    assert said is not None
    assert said.startswith("This IP address 127.0.0.1 is not allowed to connect to this endpoint.")


@pytest.mark.shows("ip-allow.block")
def test_blocked_public_connections_outweigh_the_list() -> None:
    settings = {"block_public_connections": True, "allowed_ips": {"ips": ["127.0.0.1"]}}
    assert ip_allow.refusal(settings, "127.0.0.1", protected=False) == ip_allow.BLOCKED


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"allowed_ips": {"ips": ["192.0.2.7"]}}, "This IP address 127.0.0.1 is not allowed to connect"),
        ({"block_public_connections": True}, "from a blocked network"),
        ({"allowed_ips": {"ips": ["127.0.0.0/8"]}}, None),
    ],
)
@pytest.mark.shows("ip-allow.list", "ip-allow.block")
def test_every_door_asks_the_list(server, project, driver: Driver, settings: dict, says: str | None) -> None:
    everybody = {"allowed_ips": {"ips": []}, "block_public_connections": False}
    path = f"/projects/{project['project']['id']}"
    api(server.api_port, "PATCH", path, {"project": {"settings": {**everybody, **settings}}})
    try:
        over_http = driver.ask({"query": "select 1"})[1].get("message")
        over_web_socket = driver.run(
            "const pool = new Pool({ connectionString: url });"
            "return (await failure(() => pool.query('select 1')))?.message"
        )
        try:
            psycopg.connect(driver.url).close()
            direct = None
        except psycopg.OperationalError as error:
            direct = str(error)
    finally:
        api(server.api_port, "PATCH", path, {"project": {"settings": everybody}})
    for said in (over_http, over_web_socket, direct):
        assert said is None if says is None else says in said
