"""What sampled values look like."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from neondba.postgres.masking import listed
from neondba.postgres.masking.naming import OPEN, kind_of

EMAIL: Final = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")
PHONE: Final = re.compile(r"(?<![\w@])\+[0-9][0-9 ()./-]{6,}[0-9]")
IBAN: Final = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,3})?\b")
CARD: Final = re.compile(r"\b[0-9]{4}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,7}\b")
_BYTE: Final = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
NET: Final = re.compile(rf"(?<![0-9.])(?:{_BYTE}\.){{3}}{_BYTE}(?!\.?[0-9])")
SECRET: Final = re.compile(
    r"^(?:eyJ[\w-]+\.[\w-]+\.[\w-]*|\$2[abxy]\$|\$argon2|\$scrypt\$|\{?pbkdf2|pbkdf2_|(?:sk|pk|rk|whsec)_(?:live|test)_"
    r"|gh[pousr]_|xox[abpr]-|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|npg_|napi_)"
)
SSN: Final = re.compile(r"\d{3}-\d{2}-\d{4}")
GIVEN: Final = frozenset(name for line in listed("given_names") for name in line.split())
LIKELY: Final = frozenset({"name", "ip", "card"})
"""Shapes that other things have too."""
SOME: Final = 0.05
ENOUGH: Final = 0.5
"""Share of the values that must have a shape for the column to be of it."""


def luhn(digits: str) -> bool:
    """Tell whether a card number's check digit is right."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        one = int(sign) * (1 + place % 2)
        total += one // 10 + one % 10
    return total % 10 == 0


def iban(text: str) -> bool:
    """Tell whether an account number's check digits are right."""
    plain = text.replace(" ", "")
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def named(text: str) -> bool:
    """Tell whether a short text begins like a person's name."""
    parts = text.split()
    if not 2 <= len(parts) <= 4 or parts[0].lower() not in GIVEN:
        return False
    return all(part[:1].isupper() and re.sub(r"[-'.]", "", part).isalpha() for part in parts)


def within(text: str) -> set[str]:
    """Name what is personal somewhere in a text."""
    found = set()
    if "@" in text and EMAIL.search(text):
        found.add("email")
    if "+" in text and PHONE.search(text):
        found.add("phone")
    if any(iban(each) for each in IBAN.findall(text)):
        found.add("iban")
    if any(
        luhn(re.sub(r"\D", "", each)) and 13 <= len(re.sub(r"\D", "", each)) <= 19
        for each in CARD.findall(text)
    ):
        found.add("card")
    if "." in text and NET.search(text):
        found.add("ip")
    if SECRET.search(text):
        found.add("token")
    return found


def whole(text: str) -> str | None:
    """Give the kind that a text is as a whole."""
    plain = text.strip()
    if EMAIL.fullmatch(plain):
        return "email"
    if PHONE.fullmatch(plain):
        return "phone"
    if NET.fullmatch(plain) or (plain.count(":") > 2 and re.fullmatch(r"[0-9a-fA-F:]{6,39}", plain)):
        return "ip"
    if SSN.fullmatch(plain):
        return "code"
    if IBAN.fullmatch(plain) and iban(plain):
        return "iban"
    if CARD.fullmatch(plain) and luhn(re.sub(r"\D", "", plain)):
        return "card"
    if SECRET.match(plain):
        return "token"
    return "name" if named(plain) else None


class Seen:
    """What a column's sampled values were."""

    def __init__(self, values: Iterable[str]) -> None:
        self.count = 0
        self.wholes: dict[str, int] = {}
        self.parts: dict[str, int] = {}
        for value in values:
            if not value.strip():
                continue
            self.count += 1
            kind = whole(value)
            if kind is not None:
                self.wholes[kind] = self.wholes.get(kind, 0) + 1
            for part in within(value) | ({kind} if kind else set()):
                self.parts[part] = self.parts.get(part, 0) + 1

    @property
    def kind(self) -> str | None:
        """The kind that the values call for, if any."""
        best = max(self.wholes, key=lambda each: self.wholes[each], default=None)
        if best is not None and self.wholes[best] >= ENOUGH * self.count:
            return best
        if sum(self.wholes.values()) >= ENOUGH * self.count > 0:
            return "identity"
        # A few names among many values may be streets or products; an address in a text is none of these.
        few = {each for each, n in self.parts.items() if each not in LIKELY or n > SOME * self.count}
        return "text" if few else None

    def found(self) -> str:
        """Say how many of the values have what."""
        parts = sorted(self.parts, key=lambda each: -self.parts[each])
        return ", ".join(f"{part} in {self.parts[part]} of {self.count}" for part in parts[:3])


def keys(value: Any) -> Iterator[tuple[str, Any]]:
    """Give every key of a document with what it holds."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield key, inside
            yield from keys(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from keys(inside)


def strings(value: Any) -> Iterator[str]:
    """Give every text of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inside in value.values():
            yield from strings(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from strings(inside)


def loose(value: Any, personal: Collection[str]) -> Iterator[str]:
    """Give every text of a document that stands below no personal key."""
    if isinstance(value, dict):
        for key, inside in value.items():
            if key not in personal:
                yield from loose(inside, personal)
    elif isinstance(value, list):
        for inside in value:
            yield from loose(inside, personal)
    else:
        yield from strings(value)


def personal_keys(names: Collection[str]) -> dict[str, str]:
    """Give the kinds of the keys whose names are personal; what no mask fits becomes invented words."""
    found = {}
    for name in names:
        kind = kind_of(name)
        if kind is not None:
            found[name] = "text" if kind == OPEN else kind
    # A bare name may be a product's; beside an address or a telephone it is somebody's.
    return found | {name: "name" for name in names if found and name.lower() == "name"}


def document(text: str) -> Any:
    """Read a document; what cannot be read is one text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
