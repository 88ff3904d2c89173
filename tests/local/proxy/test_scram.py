"""SCRAM against a client written from the RFC."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neondba.local.proxy.scram import SHA256, SHA256_PLUS, Exchange, ScramError, Verifier

SALT = b"0123456789abcdef"
CERTIFICATE = hashlib.sha256(b"certificate").digest()
BOUND = "p=tls-server-end-point,,"


def keys(password: str, rounds: int = 16) -> tuple[bytes, bytes, bytes]:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, rounds)
    client = hmac.digest(salted, b"Client Key", "sha256")
    return client, hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")


def verifier(password: str) -> Verifier:
    _, stored, server = (base64.b64encode(part).decode() for part in keys(password))
    return Verifier.parse(f"SCRAM-SHA-256$16:{base64.b64encode(SALT).decode()}${stored}:{server}")


def log_in(exchange: Exchange, password: str, header: str, binding: bytes) -> bytes | None:
    challenge = exchange.challenge(f"{header}n=,r=nonce".encode()).decode()
    nonce = challenge.split(",")[0]
    unproven = f"c={base64.b64encode(binding).decode()},{nonce}"
    said = f"n=,r=nonce,{challenge},{unproven}".encode()
    client, stored, server = keys(password)
    proof = bytes(a ^ b for a, b in zip(client, hmac.digest(stored, said, "sha256"), strict=True))
    final = f"{unproven},p={base64.b64encode(proof).decode()}".encode()
    answer = exchange.outcome(final)
    if answer is not None:
        assert answer == b"v=" + base64.b64encode(hmac.digest(server, said, "sha256"))
    return answer


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1), st.booleans())
@settings(max_examples=50, deadline=None)
def test_the_right_password_is_proven_both_ways(password: str, plus: bool) -> None:
    header = BOUND if plus else "n,,"
    exchange = Exchange(verifier(password), SHA256_PLUS if plus else SHA256, CERTIFICATE)
    assert log_in(exchange, password, header, header.encode() + (CERTIFICATE if plus else b""))
    assert verifier(password).fits(password)


def test_a_wrong_password_and_a_made_up_role_end_alike() -> None:
    for known in (verifier("right"), Verifier.made_up("ep-1", "nobody")):
        assert log_in(Exchange(known, SHA256, CERTIFICATE), "wrong", "n,,", b"n,,") is None
        assert not known.fits("wrong")


def test_a_made_up_verifier_is_the_same_each_time_and_differs_by_role() -> None:
    one = Verifier.made_up("ep-1", "a")
    assert one == Verifier.made_up("ep-1", "a")
    assert one.salt != Verifier.made_up("ep-1", "b").salt


@pytest.mark.parametrize(
    ("mechanism", "header", "binding"),
    [
        (SHA256_PLUS, BOUND, BOUND.encode() + b"another certificate's hash"),
        (SHA256, "y,,", b"y,,"),
        (SHA256, BOUND, BOUND.encode()),
        (SHA256_PLUS, "p=tls-unique,,", b""),
        (SHA256_PLUS, "n,,", b"n,,"),
        ("MD5", "n,,", b"n,,"),
    ],
)
def test_a_channel_that_is_not_ours_is_refused(mechanism: str, header: str, binding: bytes) -> None:
    with pytest.raises(ScramError):
        log_in(Exchange(verifier("right"), mechanism, CERTIFICATE), "right", header, binding)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_wild_messages_are_refused(first: bytes, final: bytes) -> None:
    exchange = Exchange(verifier("right"), SHA256, CERTIFICATE)
    with pytest.raises(ScramError):
        exchange.challenge(first)
    exchange.challenge(b"n,,n=,r=nonce")
    with pytest.raises(ScramError):
        exchange.outcome(final)


@pytest.mark.parametrize("text", ["", "md5abc", "SCRAM-SHA-256$4096:!!$a:b"])
def test_what_is_no_verifier_is_refused(text: str) -> None:
    with pytest.raises(ScramError):
        Verifier.parse(text)
