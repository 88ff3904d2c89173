"""What a TLS mode protects from: said, and shown with a server that answers in another's place."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from impostor import authority, certificate, impostor
from reached import Reached

from neondba.access.audit_env import uses
from neondba.access.audit_tls import mode_of, tls_check
from neondba.access.audit_tls_results import ServerLine
from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.postgres import server_tls

PASSWORD = "drawn" + "4Modes"
FAR = f"postgresql://app:{PASSWORD}@ep-cool-sea-a1b2c3d4.invalid/shop"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An authority that clients know, and certificates: another authority's, another host's, its own."""
    folder = tmp_path_factory.mktemp("tls")
    known, unknown = authority(), authority()
    (folder / "ca.pem").write_bytes(known[0].public_bytes(serialization.Encoding.PEM))
    strange = folder / "strange"
    strange.mkdir()
    return {
        "ca": folder / "ca.pem",
        "stranger": certificate(strange, unknown, "127.0.0.1"),
        "other host": certificate(folder, known, "other.example"),
        "own": certificate(folder, known, "127.0.0.1"),
    }


@pytest.mark.parametrize(
    ("shows", "parameters", "gives_away"),
    [
        (None, "sslmode=disable", True),
        (None, "sslmode=allow", True),
        (None, "sslmode=prefer", True),
        (None, "sslmode=require", False),
        ("stranger", "sslmode=require", True),
        ("stranger", "sslmode=require&channel_binding=require", False),
        ("stranger", "sslmode=verify-ca", False),
        ("other host", "sslmode=verify-ca", True),
        ("other host", "sslmode=verify-full", False),
        ("own", "sslmode=verify-full&channel_binding=require", False),
    ],
)
def test_the_password_reaches_an_impostor_just_where_it_is_said(
    places: dict[str, Path], shows: str | None, parameters: str, gives_away: bool
) -> None:
    root = f"&sslrootcert={places['ca']}" if "verify" in parameters else ""
    with impostor(places[shows] if shows else None) as listening:
        url = f"postgresql://app:{PASSWORD}@127.0.0.1:{listening.port}/shop?{parameters}{root}"
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=20)
    assert listening.heard == ([PASSWORD.encode()] if gives_away else [])


@pytest.mark.parametrize(
    ("parameters", "verdict", "said"),
    [
        ("", "fault", "if the server offers it"),
        ("?sslmode=disable", "fault", "nothing is encrypted"),
        ("?sslmode=prefer&channel_binding=require", "fault", "which other drivers do not"),
        ("?sslmode=require", "note", "an impostor who asks for the password gets it"),
        ("?sslmode=require&channel_binding=require", "ok", "channel binding"),
        ("?sslmode=verify-ca&sslrootcert=system", "note", "another host's"),
        ("?sslmode=verify-full&sslrootcert=system", "ok", "the host's own"),
        ("?ssl=require", "note", "encrypted"),
        ("?sslmode=sometimes", "fault", "no mode is called sometimes"),
    ],
)
def test_each_mode_is_judged_by_what_it_protects_from(
    tmp_path: Path, parameters: str, verdict: str, said: str
) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={FAR}{parameters}\n")
    check = tls_check(Context(settings=Settings(state_dir=tmp_path / "state")), tmp_path)
    [line] = check.strings
    assert (line.verdict, said in line.said) == (verdict, True), line.said
    assert PASSWORD not in check.model_dump_json() + check.as_text(100)
    assert [each.verdict for each in check.servers] == ["not checked"]


def test_the_mode_of_the_file_counts_where_the_string_says_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={FAR}\nPGSSLMODE=verify-full\n")
    assert mode_of(uses(tmp_path)[0]) == ("verify-full", "PGSSLMODE=verify-full in .env")


def test_a_certificate_is_read_with_what_keeps_it_from_being_trusted(places: dict[str, Path]) -> None:
    for shows, why in (
        ("own", ""),
        ("other host", "IP address mismatch"),
        ("stranger", "signature failure"),
    ):
        with impostor(places[shows]) as listening:
            seen = server_tls.look("127.0.0.1", listening.port, str(places["ca"]))
        assert isinstance(seen, server_tls.Certificate)
        assert (seen.why_not == "") == (why == "")
        assert why in seen.why_not
        assert listening.heard == []
    with impostor(None) as listening:
        assert server_tls.look("127.0.0.1", listening.port, None) == "the server offers no TLS"


def test_the_local_neons_certificate_is_read_from_its_own_connection_string(
    desk: Reached, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={desk.url()}\n")
    check = desk.call("tls.check", folder=tmp_path)
    [server] = check.servers
    assert (server.verdict, "neondba local Neon authority" in server.said) == ("note", True)
    assert check.strings[0].verdict == "ok"


def test_a_certificate_that_ends_soon_is_a_fault(
    tmp_path: Path, places: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    for days, verdict, said in ((3, "fault", "2 days are left"), (-1, "fault", "it has ended")):
        pem = certificate(tmp_path, authority(), "127.0.0.1", days=days)
        with impostor(pem) as listening:
            server = _server_of(tmp_path, listening.port)
        assert (server.verdict, said in server.said) == (verdict, True), server.said


def _server_of(folder: Path, port: int) -> ServerLine:
    url = f"postgresql://app:{PASSWORD}@127.0.0.1:{port}/shop?options=endpoint%3Dep-a-b-12345678"
    (folder / ".env").write_text(f"DATABASE_URL={url}\n")
    [server] = tls_check(Context(settings=Settings(state_dir=folder / "state")), folder).servers
    return server
