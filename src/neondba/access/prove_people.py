"""Bring two people and an administrator into an application, with rows of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from neondba.access.identity_provider import IdentityProvider
from neondba.access.prove_seed import WorldSeeder
from neondba.access.prove_sign_in import (
    NOT_LOGIN,
    Guarded,
    OwnLogin,
    Send,
    Way,
    guarded,
    lets_in,
    session_token,
    token_ways,
)
from neondba.access.prove_world import TENANTS, Person, World, snake
from neondba.access.walk_http import Answer
from neondba.access.walk_identifiers import Identifiers
from neondba.access.walk_openapi import Document, Operation
from neondba.access.walk_requests import Requests
from neondba.access.walk_values import Marks
from neondba.core.context import Context
from neondba.core.secret import MASK, Secret
from neondba.postgres.connect import Refused, trusted
from neondba.postgres.row_watch import Changed, RowWatch, changes

LETTERS: Final = ("A", "B", "admin")
_LEFT: Final = re.compile(
    r"delete|remove|log[-_]?out|sign[-_]?out|webhook|reset|revoke|cancel|seed|purge|import", re.IGNORECASE
)
_KEYS: Final = re.compile(r"Aa1!\w+|eyJ[\w-]+\.[\w-]+\.[\w-]+|session(?=prf)\w+")
_PASSES: Final = 3
_ON: Final = re.compile(r"^(?:is_)?(?:active|verified|email_verified|enabled|is_email_verified|approved)$")
_ADMIN: Final = re.compile(r"^(?:is_)?(?:admin|superuser|staff|super_admin)$")


def without_keys(text: str) -> str:
    """Hide passwords and tokens of the two, should an application repeat them."""
    return _KEYS.sub(MASK, text)


def people(ctx: Context) -> list[Person]:
    """Make up three people whose marks nobody else has."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    made = []
    for letter in LETTERS:
        word = "prf" + "".join(ctx.chance.choice(letters) for _ in range(5))
        person = Person(letter, Marks(word))
        person.tenant = f"tenant-{word}"
        person.claims = {
            "sub": word,
            "email": f"{word}@example.com",
            "username": word,
            "name": f"{word} {letter}",
            "password": f"Aa1!{ctx.chance.getrandbits(64):016x}",
        }
        made.append(person)
    return made


@dataclass
class Arrival:
    """What it took to become known."""

    how: str
    renew: Callable[[], None]


@dataclass
class People:
    """Signs people in and gives them rows."""

    ctx: Context
    document: Document
    send: Send
    world: World
    watch: RowWatch
    seeder: WorldSeeder
    provider: IdentityProvider
    signing: tuple[Secret, ...]
    audiences: tuple[str, ...]
    cookies: tuple[str, ...] = ()
    deadline: float = float("inf")
    login: str | None = None
    register: str | None = None

    def arrive(self) -> Arrival:
        """Sign everyone in, the way that the application knows."""
        asked = guarded(self.document, self.send)
        own = OwnLogin.found(self.document, self.send, self.login, self.register)
        if own.register is not None:
            if self._enrolled(own) and (
                not asked or lets_in(asked, self.world.people[0], self.world.people[0].headers, self.send)
            ):
                end = f"and logged in through POST {own.login.path}" if own.login else ""
                how = f"registered {end or f'through POST {own.register.path}'}"
                return Arrival(how, lambda: self._again(own))
            own.said = own.said or "its token was not accepted"
        self._identities()
        if not asked:
            return Arrival("not needed, because no route turns a stranger away", lambda: None)
        for way in token_ways(self.provider, self.signing, self.audiences, self.cookies):
            if self._by(way, asked):
                return Arrival(way.name, lambda: None)
        for person in self.world.people:
            person.headers = {}
        why = f" ({without_keys(own.said)})" if own.said else ""
        return Arrival(f"nobody, because no kind of token or session was accepted{why}", lambda: None)

    def _by(self, way: Way, asked: list[Guarded]) -> bool:
        headers = way.headers(self.world.people[0])
        if headers is None or not lets_in(asked, self.world.people[0], headers, self.send):
            return False
        for person in self.world.people:
            person.headers = way.headers(person) or {}
        return True

    def _again(self, own: OwnLogin) -> None:
        for person in self.world.people if own.login else ():
            person.headers = own.sign_in(person) or person.headers

    def _enrolled(self, own: OwnLogin) -> bool:
        for person in self.world.people:
            before = self.watch.read()
            headers = own.enroll(person, {})
            if headers is None:
                return person.letter == "admin"
            self._recognise(person, changes(before, self.watch.read()))
            self._allow(person)
            person.headers = own.sign_in(person) or headers
            if not person.headers:
                return False
        return True

    def _recognise(self, person: Person, changed: list[Changed]) -> None:
        """Find the row that registering has made."""
        table = self.world.user_table
        for change in changed:
            row = change.after
            if row is None or change.before is not None or change.table != table:
                continue
            keys = [str(row[name]) for name in self.world.shapes[table or ""].primary_key]
            person.claims["sub"] = keys[0] if keys else person.claims["sub"]
            person.ids |= {*keys}
        person.ids |= {str(person.claims[n]) for n in ("sub", "email", "username")}

    def _allow(self, person: Person) -> None:
        """Confirm the address, and make the third an administrator, as somebody else would have."""
        table = self.world.user_table
        shape = self.world.shapes.get(table or "")
        if shape is None or not shape.primary_key:
            return
        sets: dict[str, str] = {}
        for column in shape.columns:
            name = snake(column.name)
            if (column.base == "bool" and _ON.match(name)) or (
                person.letter == "admin" and column.base == "bool" and _ADMIN.match(name)
            ):
                sets[column.name] = "true"
            elif person.letter == "admin" and name in ("role", "user_role"):
                labels = [label for label in column.labels if "admin" in label.lower()]
                if labels or not column.labels:
                    sets[column.name] = labels[0] if labels else "admin"
        for name, value in sets.items():
            self._set(shape.name, shape.primary_key[0], name, value, str(person.claims["sub"]))

    def _set(self, table: str, key: str, column: str, value: str, wanted: str) -> None:
        try:
            self.watch.session.execute(
                trusted(f'update {table} set "{column}" = %s where "{key}"::text = %s'),  # noqa: S608 - names from the catalog
                [value, wanted],
            )
        except Refused:
            return

    def _identities(self) -> None:
        """Choose ids that fit, and put the people into the table of users."""
        kind = self._kind_of_id()
        for number, person in enumerate(self.world.people, start=1):
            if kind == "uuid":
                person.claims["sub"] = f"{self.ctx.chance.getrandbits(32):08x}-0000-4000-8000-{number:012x}"
            elif kind == "number":
                person.claims["sub"] = str(7_000_000 + number)
            self._tenant(person, number)
            row = self.seeder.person_row(person)
            if row is not None:
                keys = [str(row[name]) for name in self.world.shapes[self.world.user_table or ""].primary_key]
                if kind == "number" and keys:
                    person.claims["sub"] = keys[0]
                person.ids |= set(keys)
                self._allow(person)
            person.ids |= {str(person.claims[n]) for n in ("sub", "email", "username")}
            if self.world.user_table is not None and row is not None:
                person.rows[self.world.user_table] = dict(row)
            self.seeder.session_row(person, session_token(person))
            sub = person.claims["sub"]
            person.claims |= {"id": sub, "user_id": sub, "userId": sub, "email_verified": True}
            person.claims |= {"role": "admin" if person.letter == "admin" else "user", "type": "access"}
            person.claims |= dict.fromkeys(("tenant_id", "org_id", "organization_id"), person.tenant)

    def _tenant(self, person: Person, number: int) -> None:
        columns = [c for c in self.world.owners.values() if snake(c.name) in TENANTS]
        if columns and columns[0].base == "uuid":
            person.tenant = f"{self.ctx.chance.getrandbits(32):08x}-0000-4000-8000-{number + 16:012x}"
        elif columns and columns[0].category == "N":
            person.tenant = str(7_100_000 + number)

    def _kind_of_id(self) -> str:
        """Say which kind of id people have here."""
        columns = [c for c in self.world.owners.values() if snake(c.name) not in TENANTS]
        table = self.world.shapes.get(self.world.user_table or "")
        if table is not None and table.primary_key:
            key = table.column(table.primary_key[0])
            columns = [key] if key is not None else columns
        kinds = Counter(
            "uuid" if c.base == "uuid" else "number" if c.category == "N" else "text" for c in columns
        )
        return kinds.most_common(1)[0][0] if kinds else "text"

    def furnish(self, identifiers: Identifiers) -> None:
        """Make rows through the application's own routes, then through SQL where it made none."""
        posts = [
            o
            for o in self.document.operations
            if o.method == "POST" and not _LEFT.search(o.path) and not NOT_LOGIN.search(o.path)
            and not re.search(r"log[-_]?in|sign[-_]?up|register|/token/?$", o.path)
        ]  # fmt: skip
        posts.sort(key=lambda o: (o.path.count("{"), len(o.path)))
        done: set[tuple[str, str]] = set()
        for _ in range(_PASSES):
            before = len(done)
            for operation in posts:
                if self.ctx.clock.monotonic() > self.deadline:
                    break
                for person in self.world.people[:2]:
                    if (operation.path, person.letter) not in done and self._posted(
                        operation, person, identifiers
                    ):
                        done.add((operation.path, person.letter))
            if len(done) == before:
                break
        self.seeder.fill()

    def _posted(self, operation: Operation, person: Person, identifiers: Identifiers) -> bool:
        before = self.watch.read()
        self.world.settle(before)
        identifiers.settle(before)
        requests = Requests(self.document, identifiers, operation)
        for _ in range(4):
            request = requests.make(person)
            if requests.missing:
                return False
            answer: Answer = self.send(request)
            if answer.fine or not requests.learn(answer):
                break
        after = self.watch.read()
        found = changes(before, after)
        if any(change.before is not None for change in found) or not answer.fine:
            self.watch.restore(before, after)
            return False
        return bool(found)
