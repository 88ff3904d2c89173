"""How two people become known to an application."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from neondba.access.identity_provider import IdentityProvider, signed_cookie, signed_with
from neondba.access.prove_world import Person
from neondba.access.walk_http import Answer, Request
from neondba.access.walk_openapi import Document, Operation, Schema
from neondba.access.walk_values import Maker, fitted
from neondba.core.secret import Secret

Send = Callable[[Request], Answer]
LOGIN: Final = re.compile(r"log[-_]?in|sign[-_]?in|token|authenticate|/auth/?$|sessions?/?$", re.IGNORECASE)
REGISTER: Final = re.compile(r"register|sign[-_]?up|registration|/users?/?$|/accounts?/?$", re.IGNORECASE)
NOT_LOGIN: Final = re.compile(
    r"refresh|revoke|reset|verify|logout|test|forgot|recover|callback|google|github|otp|2fa|mfa",
    re.IGNORECASE,
)
_OF_USER: Final = re.compile(r"\{(?:user|owner|account|member)(?:_?id)?\}", re.IGNORECASE)
_HOLE: Final = re.compile(r"\{[^}]*\}")
_MOST_GUARDED: Final = 6
_TOKENS: Final = ("access_token", "accessToken", "token", "jwt", "id_token", "session_token", "sessionToken")


@dataclass(frozen=True)
class Guarded:
    """A request that turns strangers away, and how."""

    method: str
    path: str
    status: int

    def request(self, user: str, headers: Mapping[str, str]) -> Request:
        """Send it as a user; where the path names one, it is that one."""
        path = _OF_USER.sub(user, self.path)
        body: dict[str, str] | None = {} if self.method == "POST" else None
        return Request(self.method, _HOLE.sub("1", path), headers=headers, body=body)


@dataclass(frozen=True)
class Way:
    """One way to be known."""

    name: str
    headers: Callable[[Person], dict[str, str] | None]


def turns_away(answer: Answer) -> bool:
    """Tell whether an answer is what a stranger gets; FastAPI says 422 of a header that is missing."""
    if answer.status == 422:
        return (
            re.search(r'"header",\s*"(?:authorization|cookie|x-[\w-]*token)"', answer.text.lower())
            is not None
        )
    return answer.refused


def guarded(document: Document, send: Send) -> list[Guarded]:
    """Give requests that turn a stranger away."""
    found: list[Guarded] = []
    ordered = sorted(document.operations, key=lambda o: (o.method != "GET", o.path.count("{"), not o.secured))
    for operation in ordered:
        if operation.method not in ("GET", "POST") or NOT_LOGIN.search(operation.path):
            continue
        if operation.writes and LOGIN.search(operation.path):
            continue
        asked = Guarded(operation.method, operation.path, 0)
        answer = send(asked.request("1", {}))
        if turns_away(answer):
            found.append(Guarded(operation.method, operation.path, answer.status))
        if len(found) >= _MOST_GUARDED:
            break
    return found


def lets_in(asked: list[Guarded], person: Person, headers: Mapping[str, str], send: Send) -> bool:
    """Tell whether a person with these headers is no stranger."""
    for one in asked:
        answer = send(one.request(str(person.claims["sub"]), headers))
        # A server error is no acceptance: a token of another form may have caused it.
        if (
            0 < answer.status < 500
            and answer.status != 401
            and not (turns_away(answer) and one.status != 401)
        ):
            return True
    return False


def token_ways(
    provider: IdentityProvider,
    signing: tuple[Secret, ...],
    audiences: tuple[str, ...],
    cookies: tuple[str, ...],
) -> Iterator[Way]:
    """Give the ways with tokens that are made here, the likeliest first."""

    def bearer(make: Callable[[dict[str, Any]], Secret]) -> Callable[[Person], dict[str, str]]:
        def headers(person: Person) -> dict[str, str]:
            token = make(provider.claims(person.claims, audiences)).reveal()
            provider.sessions[token] = person.claims
            worn = "; ".join(f"{name}={token}" for name in cookies)
            return {"Authorization": f"Bearer {token}", **({"Cookie": worn} if worn else {})}

        return headers

    for algorithm in ("EdDSA", "RS256"):
        yield Way(
            f"tokens ({algorithm}) of a test identity provider",
            bearer(lambda claims, algorithm=algorithm: provider.keys.signed(algorithm, claims)),  # type: ignore[misc]
        )
    for secret in signing:
        yield Way(
            "tokens (HS256) signed with the application's own secret",
            bearer(lambda claims, secret=secret: signed_with(secret, claims)),  # type: ignore[misc]
        )
        yield Way(
            "tokens (HS256) signed with the application's own secret, without an audience",
            bearer(lambda claims, secret=secret: signed_with(secret, _bare(claims))),  # type: ignore[misc]
        )
        yield Way(
            "tokens (HS256) signed with the application's own secret, for an e-mail address",
            bearer(
                lambda claims, secret=secret: signed_with(secret, {**_bare(claims), "sub": claims["email"]})  # type: ignore[misc]
            ),
        )
    yield Way("tokens (EdDSA) without an audience", bearer(lambda c: provider.keys.signed("EdDSA", _bare(c))))
    yield Way("session tokens and signed cookies of Better Auth", _session(provider, signing))


def _bare(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in ("aud", "iss")}


def session_token(person: Person) -> str:
    """Give the token of a person's session where sessions are kept in a table."""
    return f"session{person.marks.word}"


def _session(
    provider: IdentityProvider, signing: tuple[Secret, ...]
) -> Callable[[Person], dict[str, str] | None]:
    def headers(person: Person) -> dict[str, str] | None:
        token = session_token(person)
        provider.sessions[token] = person.claims
        signed = signed_cookie(signing[0], token) if signing else token
        names = (
            "better-auth.session_token",
            "__Secure-better-auth.session_token",
            "session",
            "session_token",
        )
        cookie = "; ".join(f"{name}={signed if 'better' in name else token}" for name in names)
        return {"Authorization": f"Bearer {token}", "Cookie": cookie}

    return headers


@dataclass
class OwnLogin:
    """Registers and logs in through the application's own routes."""

    document: Document
    send: Send
    login: Operation | None
    register: Operation | None
    said: str = ""
    """What went wrong last."""

    @classmethod
    def found(cls, document: Document, send: Send, login: str | None, register: str | None) -> OwnLogin:
        """Find the two routes, or take those that are named."""
        posts = [o for o in document.operations if o.method == "POST" and not NOT_LOGIN.search(o.path)]
        fitting = [o for o in posts if _has(document, o, "password") or _welcomes(document, o)]
        named = {o.path: o for o in posts}
        in_ = named.get(login or "") or next((o for o in fitting if LOGIN.search(o.path)), None)
        up = named.get(register or "") or next(
            (
                o
                for want in (re.compile("register|sign", re.IGNORECASE), REGISTER)
                for o in fitting
                if want.search(o.path) and o is not in_ and not LOGIN.search(o.path)
            ),
            None,
        )
        return cls(document, send, in_, up)

    def enroll(self, person: Person, headers: Mapping[str, str]) -> dict[str, str] | None:
        """Register a person; give the headers, where registering signs in too, or an empty mapping."""
        if self.register is None:
            self.said = "no route registers users"
            return None
        answer = self._post(self.register, person, headers)
        if not answer.fine:
            self.said = f"POST {self.register.path} answered {answer.status}: {answer.text[:200]}"
            return None
        if isinstance(answer.json, dict):
            known = _user_in(answer.json)
            person.claims["sub"] = str(known.get("id") or known.get("user_id") or person.claims["sub"])
        return _headers_in(answer) or {}

    def sign_in(self, person: Person) -> dict[str, str] | None:
        """Log in; give the headers."""
        if self.login is None:
            self.said = "no route logs users in"
            return None
        for name in (person.claims["email"], person.claims["username"]):
            answer = self._post(self.login, person, {}, username=str(name))
            if answer.fine:
                found = _headers_in(answer)
                if found:
                    person.claims["login"] = str(name)
                    return found
            self.said = f"POST {self.login.path} answered {answer.status}: {answer.text[:200]}"
        return None

    def _post(
        self, operation: Operation, person: Person, headers: Mapping[str, str], username: str | None = None
    ) -> Answer:
        def identify(at: tuple[str | int, ...], schema: Schema) -> Any:
            return known(at, schema, person, username)

        maker = Maker(self.document, person.marks, identify, full=False)
        body: Any = maker.make(operation.body) if operation.body else None
        for name in ("email", "username", "name", "full_name"):
            if name in (operation.body or {}).get("properties", {}):
                body.setdefault(name, person.claims.get(name, person.claims["name"]))
        asked = [p for p in operation.parameters if p.place == "query" and p.required]
        query = tuple((p.name, str(maker.make(p.schema, (p.name,)))) for p in asked)
        return self.send(Request("POST", operation.path, query, headers, body, operation.content_type))


def known(at: tuple[str | int, ...], schema: Schema, person: Person, username: str | None) -> Any:
    """Give what a person signs in with; nothing for any other field."""
    name = str(at[-1]).lower()
    if "password" in name:
        return person.claims["password"]
    if name in ("username", "login", "user_name", "identifier"):
        return fitted(str(username or person.claims["username"]), schema)
    if name in ("email", "email_address", "mail"):
        return person.claims["email"]
    if name == "grant_type":
        return "password"
    return None


def _has(document: Document, operation: Operation, name: str) -> bool:
    fields = [*document.plain(operation.body).get("properties", {}), *(p.name for p in operation.parameters)]
    return any(name in key.lower() for key in fields)


def _welcomes(document: Document, operation: Operation) -> bool:
    """Tell whether a route makes a user of whoever gives an address or a name."""
    named = any(_has(document, operation, word) for word in ("email", "username"))
    return named and re.search(r"register|sign[-_]?up", operation.path, re.IGNORECASE) is not None


def _user_in(said: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("user", "data", "account"):
        if isinstance(said.get(name), dict):
            return _user_in(said[name])
    return said


def _headers_in(answer: Answer) -> dict[str, str]:
    token = _token_in(answer.json)
    found = {"Authorization": f"Bearer {token}"} if token else {}
    cookies = re.findall(r"(?:^|, )([\w.-]+=[^;,\s]+)(?=;|,|$)", answer.headers.get("Set-Cookie", ""))
    kept = [
        c for c in cookies if not re.match(r"(?:path|expires|max-age|domain|samesite)=", c, re.IGNORECASE)
    ]
    return found | ({"Cookie": "; ".join(kept)} if kept else {})


def _token_in(said: Any) -> str | None:
    if isinstance(said, dict):
        for name in _TOKENS:
            if isinstance(said.get(name), str):
                return str(said[name])
        for inner in said.values():
            found = _token_in(inner)
            if found:
                return found
    return None
