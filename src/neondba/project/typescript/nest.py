"""Find the ways in that decorators make: NestJS's controllers and resolvers, nestjs-trpc's routers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from neondba.project.isolation.judged import EntranceKind
from neondba.project.typescript import callers
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TESTS, TypeScriptFiles
from neondba.project.typescript.nodes import (
    Array,
    Call,
    Class,
    Function,
    Member,
    Name,
    Node,
    Object,
    Several,
    Text,
)
from neondba.project.typescript.values import Value, client, request
from neondba.project.typescript.ways import Way

PLACES = frozenset({"Controller", "Resolver", "Router", "WebSocketGateway", "JsonController"})
VERBS = frozenset({"Get", "Post", "Put", "Patch", "Delete", "All", "Query", "Mutation", "SubscribeMessage",
                   "ResolveField"})  # fmt: skip
GUARDS = frozenset({"UseGuards", "UseMiddlewares", "UseBefore"})
SENT = {"Body": "body", "Param": "params", "Query": "query", "Headers": "headers", "Args": "args",
        "Input": "input", "MessageBody": "body", "UploadedFile": "file", "UploadedFiles": "files",
        "Params": "params", "QueryParam": "query", "BodyParam": "body", "Cookies": "cookies"}  # fmt: skip
"""What the client sends, by the decorator that hands it over."""
REQUESTS = frozenset({"Req", "Request"})
CONTEXTS = frozenset({"Ctx", "Context", "ConnectedSocket"})
CALLER = re.compile(
    r"user|session|auth|account|member|tenant|organi[sz]ation|jwt|token|principal|me$|actor", re.IGNORECASE
)
OPENED = re.compile(
    r"^(Is)?Public|Skip_?Auth|No_?Auth|AllowAnon|Anonymous|Unprotected|Optional_?Auth|Open$", re.IGNORECASE
)
"""Decorators that let strangers past a guard of the whole application."""
DOCUMENTING = re.compile(r"^Api[A-Z]|^Throttle|Cache|Header$")
NO_GUARD = re.compile(r"throttl|rate|optional|roles?guard|refresh|local", re.IGNORECASE)
"""Guards that ask nobody who they are, or that ask for something else."""
OWNING = re.compile(r"owner|member|access|permission|polic|belongs|tenant|self", re.IGNORECASE)
GLOBAL = re.compile(
    r"APP_GUARD\s*,\s*use(?:Class|Existing)\s*:\s*(\w+)|useGlobalGuards\(([^;]*?)\)\s*;|\.apply\(([^)]*)\)"
)
MARK = re.compile(
    r"(?:const|function)\s+(?P<name>\w+)\b[^;{}]*?(?:[{]\s*return\s+)?SetMetadata\(\s*(?P<key>[\w.]+|[\"'][^\"']+[\"'])"
)
"""Decorators of the project that put a mark on a handler, for a guard to read."""
OF_CALLER = re.compile(r"\buser\??\.(?:id|sub|userId|_id|uuid)\b|\b(?:userId|currentUserId)\b")
OF_CLIENT = re.compile(r"\bparams\b|\breq(?:uest)?\.(?:body|query)\b")
WHITELIST = re.compile(r"whitelist\s*:\s*true")


class Nest:
    """The ways in of a project that decorators make."""

    def __init__(self, files: TypeScriptFiles) -> None:
        self._files = files
        self._closed: bool | None = None
        self._clean: bool | None = None

    def of(self, file: TypeScriptFile) -> Iterator[Way]:
        """Give the ways in that a file's classes make."""
        for made in file.classes:
            places = [d for d in _decorators(made) if _name(d) in PLACES]
            if not places or not made.name:
                continue
            for function in made.methods.values():
                for verb in _decorators(function):
                    if _name(verb) in VERBS:
                        yield self._way(file, made, function, _address(places[0]), verb)
                        break

    def _way(self, file: TypeScriptFile, made: Class, function: Function, prefix: str, verb: Node) -> Way:
        instance = Call(made.line, Name(made.line, made.name), [], form="new")
        verbs = _name(verb)
        address = "/" + "/".join(p for p in (prefix.strip("/"), _address(verb).strip("/")) if p)
        http = verbs not in ("Query", "Mutation", "SubscribeMessage", "ResolveField")
        name = f"{verbs.upper()} {address}" if http else f"{verbs} {made.name}.{function.name}"
        around = [*_decorators(made), *_decorators(function)]
        way = Way(
            EntranceKind.ROUTE, name, address, file, function.line,
            Member(function.line, instance, function.name),
            [_argument(p.decorators) for p in function.parameters],
        )  # fmt: skip
        way.guarded = self._guarded(around)
        way.staff = any(_is_staff(d) for d in around)
        way.owned = any(OWNING.search(g) for g in _guards(around)) or any(
            _name(d) in self._asking for d in around
        )
        way.parsed = frozenset({"body", "input", "args"} if self._whitelisted() else ("input", "args"))
        return way

    def _guarded(self, around: list[Node]) -> bool:
        names = [_name(d) for d in around]
        if any(OPENED.search(n) for n in names):
            return False
        if any(callers.GUARD_CALL.search(g) and not NO_GUARD.search(g) for g in _guards(around)):
            return True
        wrapping = (n for n in names if n not in GUARDS and not DOCUMENTING.search(n))
        return (
            any(n in ("Auth", "Authorized", "Protected", "Authenticated", "Secured") for n in wrapping)
            or self._global()
        )

    def _global(self) -> bool:
        """Tell whether a guard stands before the whole application."""
        if self._closed is None:
            texts = (self._files.text(p) for p in self._files.paths if not TESTS.search(p))
            told = [
                m[1] or m[2] or m[3]
                for text in texts
                if "APP_GUARD" in text or "useGlobalGuards" in text or "forRoutes" in text
                for m in GLOBAL.finditer(text)
            ]
            self._closed = any(callers.GUARD_CALL.search(g) and not NO_GUARD.search(g) for g in told)
        return self._closed

    @cached_property
    def _asking(self) -> frozenset[str]:
        """Give the decorators whose mark makes a guard ask for both the caller and what the client names."""
        texts = [self._files.text(p) for p in self._files.paths if not TESTS.search(p)]
        marks = {m["name"]: m["key"] for t in texts if "SetMetadata(" in t for m in MARK.finditer(t)}
        guards = [t for t in texts if marks and "canActivate" in t and "eflector" in t and _compares(t)]
        return frozenset(n for n, key in marks.items() if any(_mentions(t, key) for t in guards))

    def _whitelisted(self) -> bool:
        """Tell whether bodies lose what their class does not name."""
        if self._clean is None:
            self._clean = any(
                "ValidationPipe" in text and WHITELIST.search(text)
                for text in (self._files.text(p) for p in self._files.paths if not TESTS.search(p))
            )
        return self._clean


def _compares(guard: str) -> bool:
    """Tell whether a guard looks at the caller's id and at what the client's address or body names."""
    return bool(OF_CALLER.search(guard) and OF_CLIENT.search(guard))


def _mentions(text: str, key: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text))


def _decorators(node: Class | Function) -> list[Node]:
    found: list[Node] = []
    for one in node.decorators:
        found += one.parts if isinstance(one, Several) else [one]
    return found


def _name(node: Node) -> str:
    if isinstance(node, Call):
        return node.name.rpartition(".")[2]
    return node.name if isinstance(node, Name) else ""


def _address(decorator: Node) -> str:
    first = decorator.arguments[0] if isinstance(decorator, Call) and decorator.arguments else None
    if isinstance(first, Object):
        first = first.get("path")
    if isinstance(first, Array) and first.items:
        first = first.items[0]
    return first.value if isinstance(first, Text) else ""


def _guards(around: list[Node]) -> list[str]:
    """Give the names of the guards that decorators set."""
    found = []
    for one in around:
        if isinstance(one, Call) and _name(one) in GUARDS:
            found += [_name(a) for a in one.arguments]
    return found


def _is_staff(decorator: Node) -> bool:
    """Tell whether a decorator lets only staff in."""
    if not isinstance(decorator, Call):
        return False
    name = _name(decorator)
    if callers.STAFF_CALL.search(name) and not decorator.arguments:
        return True
    if name not in GUARDS and not re.search(r"role|auth|permission", name, re.IGNORECASE):
        return any(callers.STAFF_CALL.search(g) for g in _guards([decorator]))
    roles = [i for a in decorator.arguments for i in (a.items if isinstance(a, Array) else [a])]
    said = [r.value if isinstance(r, Text) else r.name for r in roles if isinstance(r, Text | Member)]
    if name in GUARDS:
        return any(callers.STAFF_CALL.search(g) for g in _guards([decorator]))
    return bool(said) and all(callers.STAFF_ROLE.search(s) for s in said)


def _argument(decorators: list[Node]) -> Value:
    """Give what a parameter stands for, told by its decorator."""
    for one in [p for d in decorators for p in (d.parts if isinstance(d, Several) else [d])]:
        name = _name(one)
        first = one.arguments[0] if isinstance(one, Call) and one.arguments else None
        if name in SENT:
            key = f".{first.value}" if isinstance(first, Text) else ""
            return client(f"{SENT[name]}{key}")
        if name in REQUESTS:
            return request()
        if name in CONTEXTS:
            return Value(kind="context", written="ctx")
        if CALLER.search(name):
            return Value(callers.as_caller(name), written=f"@{name}()")
    return Value()
