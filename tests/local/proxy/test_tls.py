"""Certificates: made once, renewed in time, keys for their owner only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from neondba.local.proxy.tls import SERVER_LIFE, ensure_certificates


def test_certificates_are_made_once(tmp_path: Path) -> None:
    first = ensure_certificates(tmp_path).certificate.read_bytes()
    assert ensure_certificates(tmp_path).certificate.read_bytes() == first


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    keys = sorted(tmp_path.glob("*.key"))
    assert [key.name for key in keys] == ["ca.key", "server.key"]
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_a_certificate_that_ends_soon_is_renewed_under_the_same_authority(tmp_path: Path) -> None:
    paths = ensure_certificates(tmp_path)
    authority, server = paths.authority.read_bytes(), paths.certificate.read_bytes()
    ensure_certificates(tmp_path, datetime.now(UTC) + SERVER_LIFE - timedelta(days=20))
    assert paths.authority.read_bytes() == authority
    assert paths.certificate.read_bytes() != server


def test_damaged_files_are_replaced(tmp_path: Path) -> None:
    paths = ensure_certificates(tmp_path)
    paths.key.write_text("not a key")
    ensure_certificates(tmp_path)
    assert "PRIVATE KEY" in paths.key.read_text()
    (tmp_path / "ca.key").unlink()
    old = paths.certificate.read_bytes()
    ensure_certificates(tmp_path)
    assert paths.certificate.read_bytes() != old
