"""How much a decoder without verification matters depends on whether anything calls it."""

from neondba.capabilities import load
from neondba.project.tree import MemoryTree
from neondba.review.engine import run
from neondba.review.finding import Severity
from neondba.review.rule import rules

load()
DECODER = """
import jwt

def claims_of(token: str):
    payload = jwt.decode(token, options={"verify_signature": False})
    return payload
"""
CALLER = """
from app.tokens import claims_of

def me(token: str):
    return claims_of(token)["sub"]
"""


def severities(files: dict[str, str]) -> list[Severity]:
    return [f.severity for f in run(MemoryTree(files), [rules()["NDB502"]]).findings]


def test_a_decoder_that_something_calls_is_critical() -> None:
    assert severities({"app/tokens.py": DECODER, "app/me.py": CALLER}) == [Severity.CRITICAL]


def test_a_decoder_that_nothing_calls_is_low() -> None:
    assert severities({"app/tokens.py": DECODER}) == [Severity.LOW]
