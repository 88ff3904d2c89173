"""Clients of Prisma and Drizzle that act as the user of a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from posixpath import relpath
from typing import Final

from neondba.access.plan_wiring import Wiring
from neondba.access.policies_functions import filled
from neondba.access.policies_text import Asker
from neondba.project.facts import Facts
from neondba.project.places import is_example, is_migration, is_script, is_test
from neondba.project.tree import Tree

_SUFFIXES: Final = (".ts", ".mts", ".js", ".mjs", ".tsx")
_PRISMA: Final = re.compile(r"new\s+PrismaClient\s*\(")
_DRIZZLE: Final = re.compile(r"\bdrizzle\s*(?:<[^>]*>)?\(")
_EXPORTED: Final = re.compile(r"export\s+(?:const|let|var)\s+(\w+)\b[^=\n]*=([^;]*)", re.DOTALL)
_DEFAULT: Final = re.compile(r"export\s+default\s+(\w+)\s*;?\s*$", re.MULTILINE)
_AUTH: Final = re.compile(r"export\s+const\s+(auth)\b[^=\n]*=\s*betterAuth\s*\(")
_OWN_TRANSACTIONS: Final = re.compile(r"drizzle-orm/(neon-http|vercel-postgres/http)")


@dataclass(frozen=True)
class Client:
    """The program's one client of the database."""

    path: str
    name: str
    by_default: bool
    text: str
    ending: str = ""
    """What the project writes behind a module's name: modules of Node name files."""

    @property
    def is_typed(self) -> bool:
        """True for TypeScript."""
        return self.path.endswith(("ts", "tsx"))

    @property
    def suffix(self) -> str:
        """The ending of a file beside it."""
        return "ts" if self.is_typed else self.path.rpartition(".")[2]

    def imported(self) -> str:
        """Give the line by which a file beside it imports it."""
        what = self.name if self.by_default else f"{{ {self.name} }}"
        module = self.path.rpartition("/")[2].rpartition(".")[0]
        return f'import {what} from "./{module}{self.ending}";'


def typescript_wiring(facts: Facts, asker: Asker, *, signs_in_apart: bool) -> Wiring:
    """Give the wrapper of the project's client; nothing where none is found."""
    tree = facts.tree
    prisma = _client(tree, "PrismaClient", _PRISMA)
    drizzle = _client(tree, "drizzle", _DRIZZLE) if prisma is None else None
    client = prisma or drizzle
    if client is None:
        return Wiring()
    if ".default" in client.text and "require(" in client.text and not client.is_typed:
        return Wiring()
    kind = "prisma" if prisma else "drizzle"
    path = f"{client.path.rpartition('/')[0]}/user-{kind}.{client.suffix}".lstrip("/")
    auth, head = _identity(tree, path, client)
    text = _filled(kind, client, asker, head)
    what = f"{kind} client that tells Postgres who asks"
    steps = list(_steps(kind, client, path, knows=bool(auth), apart=signs_in_apart))
    return Wiring({path: f"{text}\n{auth}"}, {path: what}, tuple(steps))


def _steps(kind: str, client: Client, path: str, *, knows: bool, apart: bool) -> list[str]:
    user = "await userIdOf(headers)" if knows else "the signed-in user's id"
    if kind == "prisma":
        using = f"{client.name}ForUser({user}) where {client.name} stands now"
    else:
        using = f"withUser({user}, (tx) => tx.select()…) where {client.name}.select()… stands now"
    steps = [f"Let queries act as the user (from {path}): write {using}. Without it, no private row is seen."]
    if _OWN_TRANSACTIONS.search(client.text):
        steps.append(
            f"{client.path} uses Drizzle over HTTP, which has no transactions to hold the user: use "
            "drizzle-orm/neon-serverless (WebSocket) or node-postgres for it."
        )
    if not knows:
        steps.append("Take the id from what your sign-in has verified, never from the request's own words.")
    return steps if not apart else [*steps, "Leave sign-in on a client of its own."]


def _filled(kind: str, client: Client, asker: Asker, head: str) -> str:
    typed = client.is_typed
    tx = f"Parameters<Parameters<typeof {client.name}.{'$' if kind == 'prisma' else ''}transaction>[0]>[0]"
    if kind == "prisma":
        # The first overload of $transaction takes a list; its last takes the function.
        tx = f"Omit<typeof {client.name}, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>"
    values = {
        "HEAD": head,
        "IMPORT": client.imported(),
        "CLIENT": client.name,
        "SETTING": asker.setting,
        "STRING": ": string" if typed else "",
        "ANY": ": { args: any; query: (args: any) => any }" if typed else "",
        "GENERIC": "<T>" if typed else "",
        "RUN": ": (tx: Transaction) => Promise<T>" if typed and kind == "drizzle" else "",
        "TYPE": f"\ntype Transaction = {tx};\n" if typed else "",
    }
    if typed and kind == "prisma":
        values["RUN"] = f": (tx: {tx}) => Promise<T>"
    return filled(f"{kind}.txt", **values)


def _identity(tree: Tree, path: str, client: Client) -> tuple[str, str]:
    """Give the code by which a request tells its user, and what that imports."""
    for place in tree.having(_SUFFIXES, ("betterAuth",)):
        if is_test(place) or is_script(place):
            continue
        text = tree.text(place) or ""
        if _AUTH.search(text):
            module = relpath(place.rpartition(".")[0], path.rpartition("/")[0] or ".")
            module = f"{module if module.startswith('.') else f'./{module}'}{client.ending}"
            code = filled("better_auth_ts.txt", HEADERS=": Headers" if client.is_typed else "")
            return f"{code}\n", f'import {{ auth }} from "{module}";\n'
    return "", ""


def _client(tree: Tree, word: str, made: re.Pattern[str]) -> Client | None:
    """Find the module that exports the client it makes."""
    found: list[Client] = []
    for path in tree.having(_SUFFIXES, (word,)):
        if is_test(path) or is_migration(path) or is_script(path) or is_example(path) or "seed" in path:
            continue
        text = tree.text(path) or ""
        if not made.search(text):
            continue
        name = _exported(text, made)
        if name is not None:
            found.append(Client(path, name[0], name[1], text, _ending(tree, path)))
    return min(found, key=lambda client: (client.path.count("/"), client.path)) if found else None


def _ending(tree: Tree, path: str) -> str:
    """Give the ending with which the project imports a module."""
    module = path.rpartition("/")[2].rpartition(".")[0]
    told = re.compile(rf"from\s+[\"']\.[^\"']*/{re.escape(module)}(\.\w+)?[\"']")
    for place in tree.having(_SUFFIXES, (module,)):
        if match := told.search(tree.text(place) or ""):
            return match[1] or ""
    return "" if path.endswith(("ts", "tsx")) else f".{path.rpartition('.')[2]}"


def _exported(text: str, made: re.Pattern[str]) -> tuple[str, bool] | None:
    """Give the name under which a client leaves its module; the default export comes second."""
    makers = set(re.findall(rf"(?:const|let|var)\s+(\w+)\b[^=\n]*=[^;\n]*{made.pattern}", text))
    makers |= set(re.findall(rf"(?:const|function)\s+(\w+)[^;]{{0,80}}?{made.pattern}", text))
    for match in _EXPORTED.finditer(text):
        if made.search(match[2]) or any(re.search(rf"\b{name}\b", match[2]) for name in makers):
            return match[1], False
    default = _DEFAULT.search(text)
    return (default[1], True) if default else None
