"""Tell a value that stands in for a secret from one that may open something."""

from __future__ import annotations

import base64
import math
import re
from collections import Counter
from itertools import pairwise
from typing import Final

_TEMPLATE: Final = re.compile(
    r"\$\{|\$\(|^\$[A-Za-z_]|\{\{|\{[\w.!:]*\}|\[[^\]]*\]|<[^>]*>|\.\.\.|…|\*{2,}|•|%[sdr](?![0-9A-Za-z])|%\(|%%|"
    r"^%\w+%$|^@|\bx{3,}|x{4,}|#\{|__\w+__",
    re.IGNORECASE,
)
_STAND_INS: Final = frozenset(
    re.findall(
        r"\w+",
        """
    your yours example placeholder changeme change changethis replace replaceme insert dummy fake sample
    redacted hidden masked removed todo fixme foo bar baz qux lorem whatever something mock invalid
    """,
    )
)
_EVERYDAY: Final = frozenset(
    re.findall(
        r"\w+",
        """
    password passwd pass pwd pw passw0rd p4ssw0rd secret secrets key keys token tokens my the a an this
    is in for with at least min chars characters long use only please here user username usr admin
    administrator root super postgres postgresql pg mysql mongo mongodb redis rabbitmq rabbit guest
    default db database dbname dbpass dbuser test tests testing tester demo local localhost dev devel
    development develop staging stage prod production app web api service server backend frontend auth
    better jwt session cookie sign signing signature encryption encrypt hash salt none null undefined
    empty hardcoded hard coded secure strong very safe unsafe insecure random generated generate value
    string text new old read write owner neondb neon role account name host login hello world letmein
    qwerty welcome abc abcd xyz ci build temp tmp temporary some any long longer todo todos task tasks
    shop blog store docker compose minio must be not to of it me and or one two real set via from env
    environment var variable key32 change32 openssl base64 hex rand bit bits byte bytes ok no yes
    fallback webhook minimum maximum hackathon phase number length
    """,
    )
)
_LEET: Final = (str.maketrans("01345@$", "oleasas"), str.maketrans("01345@$!", "oieasasi"))
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST_FIRST: Final = sorted(
    sorted(w for w in _EVERYDAY | _STAND_INS if len(w) >= 3), key=len, reverse=True
)


def is_template(text: str) -> bool:
    """Tell whether a text has a hole that something fills in later."""
    return bool(_TEMPLATE.search(text))


def is_sequence(text: str) -> bool:
    """Tell whether a text counts up, as in `abc123def` or `a1b2c3d4`."""
    lower = re.sub(r"[^a-z0-9]", "", text.lower())
    if len(lower) < 3:
        return True
    letters, digits = re.sub(r"\d", "", lower), re.sub(r"\D", "", lower)
    if _stepping(lower) >= 0.6 or (len(set(letters)) >= 8 and _stepping(letters, 3) >= 0.75):
        return True
    return all(len(part) < 3 or _stepping(part) >= 0.7 for part in (letters, digits))


def is_placeholder(value: str) -> bool:
    """Tell whether a value only shows where a secret goes, or is one that everybody knows."""
    value = value.strip()
    if len(value) < 4 or is_template(value) or is_sequence(value):
        return True
    words = [w.lower() for w in _PARTS.findall(value)]
    if _STAND_INS.intersection(words):
        return True
    letters = len(re.sub(r"[^A-Za-z]", "", value))
    return any(
        len(rest) <= 2 and letters - len(rest) >= 3
        for rest in (_unknown(value.lower()), *(_unknown(value.lower().translate(leet)) for leet in _LEET))
    )


def _unknown(value: str) -> str:
    """Give what is left of a text without the words that everybody knows."""
    rest = re.sub(r"[^a-z]", "", value)
    for word in _LONGEST_FIRST:
        rest = rest.replace(word, "")
    return rest


def is_random(value: str, length: int = 16) -> bool:
    """Tell whether a value looks drawn by chance: what generators of keys give."""
    if len(value) < length or is_placeholder(value) or re.search(r"\s", value):
        return False
    if not (re.search(r"\d", value) and re.search(r"[A-Za-z]", value)):
        return False
    if (inner := _decoded(value)) and is_placeholder(inner):
        return False
    spelled = sum(len(word) for word in re.findall(r"[A-Za-z]?[a-z]{3,}|[A-Z]{4,}", value))
    if spelled >= 0.6 * len(re.sub(r"[^A-Za-z]", "", value)):
        return False
    return entropy(value) >= (3.0 if re.fullmatch(r"[0-9a-fA-F]+", value) else 3.2)


def entropy(text: str) -> float:
    """Give the bits of surprise in a character of a text."""
    counts, size = Counter(text), len(text)
    return -sum(n / size * math.log2(n / size) for n in counts.values())


def _decoded(value: str) -> str:
    """Give what a base64 text says, if it says something that people can read."""
    try:
        text = base64.b64decode(value, validate=True).decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return ""
    return text.strip() if text.strip().isprintable() else ""


def _stepping(text: str, widest: int = 1) -> float:
    """Give the share of neighbours of which the second comes at most `widest` letters later."""
    if len(text) < 2:
        return 0.0
    steps = sum(1 for a, b in pairwise(text) if 0 <= ord(b) - ord(a) <= widest)
    return steps / (len(text) - 1)
