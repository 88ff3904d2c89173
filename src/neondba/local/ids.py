"""Names, passwords and password verifiers, made the way Neon makes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import string
import uuid

_ADJECTIVES = (
    "aged ancient autumn billowing bitter black blue bold broad broken calm cold cool crimson curly damp "
    "dark dawn delicate divine dry empty falling fancy flat floral fragrant frosty gentle green hidden holy "
    "icy jolly late lingering little lively long lucky misty morning muddy mute nameless noisy odd old "
    "orange patient plain polished proud purple quiet rapid red restless rough round royal shiny shrill shy "
    "silent small snowy soft solitary sparkling spring square steep still summer super sweet tight tiny "
    "twilight wandering weathered white wild winter wispy withered yellow young"
)
_NOUNS = (
    "art band bar base bird block boat bonus bread breeze brook bush butterfly cake cell cherry cloud credit "
    "darkness dawn dew disk dream dust feather field fire firefly flower fog forest frog frost glade glitter "
    "grass hall hat haze heart hill king lab lake leaf limit math meadow mode moon morning mountain mouse "
    "mud night paper pine poetry pond queen rain recipe resonance rice river salad scene sea shadow shape "
    "silence sky smoke snow snowflake sound star sun sunset surf term thunder tooth tree truth union unit "
    "violet voice water waterfall wave wildflower wind wood"
)

_chance = random.SystemRandom()
_LETTERS = string.ascii_lowercase + string.digits
ITERATIONS = 4096


def _words() -> str:
    return f"{_chance.choice(_ADJECTIVES.split())}-{_chance.choice(_NOUNS.split())}"


def project_id() -> str:
    """Make a project id such as `calm-river-12345678`."""
    return f"{_words()}-{_chance.randrange(10**7, 10**8)}"


def branch_id() -> str:
    """Make a branch id such as `br-calm-river-a1b2c3d4`."""
    return f"br-{_words()}-a{''.join(_chance.choices(_LETTERS, k=7))}"


def endpoint_id() -> str:
    """Make an endpoint id such as `ep-calm-river-a1b2c3d4`."""
    return f"ep-{_words()}-a{''.join(_chance.choices(_LETTERS, k=7))}"


def timeline_id() -> str:
    """Make the name of a timeline that is not a branch's first."""
    return f"tl-{_words()}-a{''.join(_chance.choices(_LETTERS, k=7))}"


def snapshot_id() -> str:
    """Make a snapshot id such as `snap-calm-river-a1b2c3d4`."""
    return f"snap-{_words()}-a{''.join(_chance.choices(_LETTERS, k=7))}"


def operation_id() -> str:
    """Make an operation id."""
    return str(uuid.uuid4())


def password() -> str:
    """Make a role's password."""
    return "npg_" + "".join(_chance.choices(string.ascii_letters + string.digits, k=16))


def api_key() -> str:
    """Make an API key."""
    return "napi_" + "".join(_chance.choices(_LETTERS, k=64))


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """Make what PostgreSQL stores, so that no statement holds a password."""
    salt = salt or _chance.randbytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    stored = hashlib.sha256(client).digest()
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"
