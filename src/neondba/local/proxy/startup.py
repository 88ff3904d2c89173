"""From the first byte to a routed, authenticated client."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Final

from neondba.local.proxy import messages
from neondba.local.proxy.messages import Cancel, Encrypt, ProtocolError, Startup
from neondba.local.proxy.scram import SHA256, SHA256_PLUS, Exchange, ScramError, Verifier
from neondba.local.proxy.wire import Tls, Wire
from neondba.local.routing import Directory, Moment

TLS_RECORD: Final = 0x16
LONGEST_ANSWER: Final = 10_000
POOLER: Final = "-pooler"
POOLED_PARAMETERS: Final = frozenset(
    {
        "user",
        "database",
        "client_encoding",
        "datestyle",
        "timezone",
        "standard_conforming_strings",
        "application_name",
        "extra_float_digits",
    }
)
"""What PgBouncer takes, with Neon's settings."""
NO_ENDPOINT: Final = (
    "Endpoint ID is not specified. Either please upgrade the postgres client library (libpq) for SNI "
    "support or pass the endpoint ID (first part of the domain name) as a parameter: "
    "'?options=endpoint%3D<endpoint-id>'. See more at https://neon.tech/sni"
)
NO_SUCH_ENDPOINT: Final = (
    "The requested endpoint could not be found, or you don't have access to it. "
    "Please check the provided ID and try again."
)
_WORD: Final = re.compile(r"(?:[^\s\\]|\\.)+", re.DOTALL)
_ROUTING: Final = re.compile(r"(endpoint|project)=(.*)", re.DOTALL)
_NEON_WORD: Final = re.compile(r"(neon_[a-z_]+|endpoint_type|proxy_[a-z_]+):(.*)", re.DOTALL)
_SETTING: Final = re.compile(r"(?:^|\s)(?:-c\s*|--)([^\s=]+)\s*=((?:[^\s\\]|\\.)*)", re.DOTALL)
_ENDPOINT: Final = re.compile(r"ep-[a-z0-9-]+")
_PASSWORD: Final = re.compile(r"(?:endpoint|project)=([A-Za-z0-9-]+)[;$](.*)", re.DOTALL)


class Refusal(Exception):
    """The client is sent away with an error it can show."""

    def __init__(self, text: str, *, code: str = "XX000", severity: str = "ERROR") -> None:
        super().__init__(text)
        self.packet = messages.error(text, code=code, severity=severity)

    @classmethod
    def of(cls, packet: bytes) -> Refusal:
        """Send away with a compute's own error."""
        made = cls("refused by the compute")
        made.packet = packet
        return made


@dataclass(frozen=True)
class Wish:
    """Where a client wants to go, and how."""

    label: str | None
    """Endpoint id as written, perhaps with `-pooler`; None when nothing names it."""
    version: int
    parameters: dict[str, str]
    """What the compute is told: without our routing."""
    moment: Moment | None = None
    """The past it wants to see; None for the present."""

    @property
    def role(self) -> str:
        """Who the client says it is."""
        return self.parameters["user"]


@dataclass(frozen=True)
class Door:
    """How a client came in."""

    address: str
    """Its IP address, for who may connect from where."""
    host: str | None = None
    """The host name of a client that cannot say it in TLS, because something before us ended that."""
    trusted: bool = False
    """The stream is private already: no encryption is asked for, and passwords come in clear."""


@dataclass(frozen=True)
class Admitted:
    """A client that has proved who it is."""

    wish: Wish
    endpoint: str
    pooled: bool


async def introduce(wire: Wire, tls: Tls, *, trusted: bool = False) -> Startup | Cancel:
    """Agree on encryption and read the start-up packet.

    Raises:
        Refusal: the client will not encrypt.
        ProtocolError: it does not speak the protocol.
    """
    encrypted = await wire.peek() == TLS_RECORD
    if encrypted:
        await wire.encrypt(tls)
    for _ in range(3):
        first = messages.read_first(await wire.packet(messages.LONGEST_STARTUP))
        match first:
            case Cancel():
                return first
            case Encrypt(gss=False) if not encrypted:
                await wire.send(b"S")
                await wire.encrypt(tls)
                encrypted = True
            case Encrypt(gss=True) if not encrypted:
                await wire.send(b"N")
            case Startup() if encrypted or trusted:
                return first
            case Startup():
                raise Refusal("connection is insecure (try using `sslmode=require`)")
            case _:
                raise ProtocolError("unsupported encryption request")
    raise ProtocolError("too many encryption requests")


def read_wish(startup: Startup, asked_host: str | None) -> Wish:
    """Find the endpoint in host name or options, and what the compute is told.

    Raises:
        Refusal: they contradict each other, or ask for what the pooler refuses.
    """
    parameters = dict(startup.parameters)
    if not parameters.get("user"):
        raise Refusal("Parameter 'user' is missing in startup packet.", code="28000")
    words = _WORD.findall(parameters.pop("options", ""))
    named = [found[2] for word in words if (found := _ROUTING.fullmatch(word))]
    kept = [word for word in words if not _ROUTING.fullmatch(word) and not _NEON_WORD.fullmatch(word)]
    host, dot, _ = (asked_host or "").lower().partition(".")
    # Node sends an address as a name, against RFC 6066.
    label = host if dot and host and not host.isdigit() else None
    if named and label and named[-1] != label:
        raise Refusal(
            f"Inconsistent project name inferred from SNI ('{label}') and project option ('{named[-1]}')."
        )
    label, moment = named[-1] if named else label, _moment(words)
    if moment and not label and _ENDPOINT.fullmatch(parameters.get("application_name", "")):
        # Where `Addresses.host` puts it for a client that overwrites the options.
        label = parameters.pop("application_name")
    if moment and label:
        # The past has no pool: a place in one would be in the present.
        label = label.removesuffix(POOLER)
    if label and label.endswith(POOLER):
        parameters = _pooled(parameters, kept)
    elif kept:
        parameters["options"] = " ".join(kept)
    return Wish(label, startup.version, parameters, moment)


def _moment(words: list[str]) -> Moment | None:
    asked = {found[1]: found[2] for word in words if (found := _NEON_WORD.fullmatch(word))}
    lsn, timestamp = asked.get("neon_lsn"), asked.get("neon_timestamp")
    return Moment(lsn, timestamp) if lsn or timestamp else None


def prefixed(password: str) -> tuple[str, str] | None:
    """Split `endpoint=<id>;<password>` into its two parts; None when it is no such thing."""
    found = _PASSWORD.fullmatch(password)
    return (found[1], found[2]) if found else None


def _pooled(parameters: dict[str, str], options: list[str]) -> dict[str, str]:
    """Refuse what PgBouncer refuses; give all that is set, by parameter or by option."""
    for name in parameters:
        if name.lower() not in POOLED_PARAMETERS and not name.startswith("_pq_."):
            raise Refusal(f"unsupported startup parameter: {name}", code="08P01", severity="FATAL")
    asked = dict(parameters)
    for found in _SETTING.finditer(" ".join(options)):
        if found[1].lower().replace("-", "_") not in POOLED_PARAMETERS:
            raise Refusal(
                f"unsupported startup parameter in options: {found[1]}", code="08P01", severity="FATAL"
            )
        asked[found[1]] = re.sub(r"\\(.)", r"\1", found[2])
    return asked


async def authenticate(
    wire: Wire, tls: Tls, wish: Wish, directory: Directory, limit: asyncio.Timeout, door: Door
) -> Admitted:
    """Let the client prove who it is, and say where it goes.

    `limit` bounds the client's time; it stands still while we ask the directory.

    Raises:
        Refusal: the endpoint is unknown, or the password is wrong.
    """
    if wish.label is None:
        return await _by_password_prefix(wire, wish, directory, limit, door)
    endpoint = wish.label.removesuffix(POOLER)
    _admit(directory, endpoint, door)
    admitted = Admitted(wish, endpoint, endpoint != wish.label)
    if door.trusted:
        # What the serverless driver sends at once, without waiting to be asked.
        await wire.send(messages.authentication(3))
        password = (await _answer(wire)).removesuffix(b"\0").decode(errors="replace")
        if not (await _verifier(directory, endpoint, wish.role, limit)).fits(password):
            raise _wrong(wish.role)
        return admitted
    verifier = await _verifier(directory, endpoint, wish.role, limit)
    await wire.send(messages.sasl_mechanisms([SHA256_PLUS, SHA256]))
    mechanism, first = messages.sasl_initial(await _answer(wire))
    try:
        exchange = Exchange(verifier, mechanism, tls.certificate_hash)
        await wire.send(messages.authentication(11, exchange.challenge(first)))
        proof = exchange.outcome(await _answer(wire))
    except ScramError as error:
        raise Refusal(str(error), code="08P01", severity="FATAL") from None
    if proof is None:
        raise _wrong(wish.role)
    await wire.send(messages.authentication(12, proof))
    return admitted


def _admit(directory: Directory, endpoint: str, door: Door) -> None:
    if not directory.knows(endpoint):
        raise Refusal(NO_SUCH_ENDPOINT)
    refused = directory.refuses(endpoint, door.address)
    if refused is not None:
        raise Refusal(refused)


async def _by_password_prefix(
    wire: Wire, wish: Wish, directory: Directory, limit: asyncio.Timeout, door: Door
) -> Admitted:
    """Read `endpoint=<id>;<password>` from a client that can name the endpoint nowhere else."""
    await wire.send(messages.authentication(3))
    sent = (await _answer(wire)).removesuffix(b"\0").decode(errors="replace")
    found = prefixed(sent)
    if not found:
        raise Refusal(NO_ENDPOINT)
    endpoint = found[0].removesuffix(POOLER)
    pooled = endpoint != found[0]
    if pooled:
        words = _WORD.findall(wish.parameters.get("options", ""))
        others = {name: value for name, value in wish.parameters.items() if name != "options"}
        wish = replace(wish, parameters=_pooled(others, words))
    _admit(directory, endpoint, door)
    verifier = await _verifier(directory, endpoint, wish.role, limit)
    if not verifier.fits(found[1]):
        raise _wrong(wish.role)
    return Admitted(wish, endpoint, pooled)


async def _answer(wire: Wire) -> bytes:
    kind, body = await wire.message(LONGEST_ANSWER)
    if kind != b"p":
        raise ProtocolError("expected password response")
    return body


async def _verifier(directory: Directory, endpoint: str, role: str, limit: asyncio.Timeout) -> Verifier:
    now = asyncio.get_running_loop().time
    left = (limit.when() or now()) - now()
    limit.reschedule(None)
    # It may have to wake the compute to ask it.
    text = await asyncio.to_thread(directory.verifier, endpoint, role)
    limit.reschedule(now() + left)
    try:
        return Verifier.parse(text) if text else Verifier.made_up(endpoint, role)
    except ScramError:
        return Verifier.made_up(endpoint, role)


def _wrong(role: str) -> Refusal:
    return Refusal(f"password authentication failed for user '{role}'", code="28P01")
