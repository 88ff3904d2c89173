"""A server action believes the user id that the browser sends.

Every exported function of a `"use server"` file is an address on the internet: anybody can call it with
any arguments, from outside the page that was meant to call it.

## Instead

```ts bad path=src/actions/orders.ts
"use server";
import { db } from "@/lib/db";

export async function listOrders(userId: string) {  // <- finding
  return db.order.findMany({ where: { userId } });
}
```

```ts good path=src/actions/orders.ts
"use server";
import { auth } from "@/auth";
import { db } from "@/lib/db";

export async function listOrders() {
  const session = await auth();
  if (!session?.user?.id) throw new Error("Unauthorized");
  return db.order.findMany({ where: { userId: session.user.id } });
}
```

A route handler that takes the id from the address or the body does the same:

```ts bad path=src/app/api/orders/route.ts
import { prisma } from "@/lib/prisma";

export async function GET(request: Request) {
  const userId = new URL(request.url).searchParams.get("userId");  // <- finding
  return Response.json(await prisma.order.findMany({ where: { userId } }));
}
```

## When it does not matter

The function asks for the session, checks a token or a signature, or does not reach the database:

```ts good path=src/actions/orders.ts
"use server";
import { requireAdmin, requireUser } from "@/lib/session";
import { db } from "@/lib/db";

export async function listOrders(userId: string) {
  await requireUser(userId);
  return db.order.findMany({ where: { userId } });
}

export async function restoreUser(userId: string) {
  await requireAdmin();
  await db.user.update({ where: { id: userId }, data: { deletedAt: null } });
}

export async function greet(userId: string) {
  return `Hello ${userId}`;
}
```
```ts good path=src/lib/orders.ts
import { db } from "@/lib/db";

export async function listOrders(userId: string) {
  return db.order.findMany({ where: { userId } });
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.routes import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

ACTION = re.compile(
    r"^export\s+(?:default\s+)?(?:async\s+function\s+(?P<name>\w+)|const\s+(?P<constant>\w+)\s*=\s*async)\b",
    re.MULTILINE,
)
CLAIM = re.compile(r"[({,]\s*(?P<id>userId|user_id|ownerId|owner_id|uid)\b(?!\s*:\s*session)")
# Possessive, or a file that opens with a dozen comments takes minutes.
MARKED = re.compile(r"\s*+(?:(?://[^\n]*+|/\*(?>.*?\*/))\s*+)*+[\"']use server[\"']", re.DOTALL)
FROM_REQUEST = re.compile(
    r"searchParams\.get\(\s*[\"'](?P<query>userId|user_id|ownerId|owner_id)[\"']"
    r"|const\s*\{[^}]*\b(?P<body>userId|user_id|ownerId|owner_id)\b[^}]*\}\s*=\s*await\s+(?:req|request)\.json\("
)
DATABASE = re.compile(
    r"\b(?:db|prisma|database|client|sql|pool|drizzle)\b\s*(?:\.\s*\w+\s*\.\s*\w+\(|\.\s*(?:select|insert|update|delete|query|execute)\b|`)"
)
ASKS = re.compile(
    r"\bauth\b|session|currentUser|getUser|\brequire[A-Z_]|verify|getToken|jwt|authorization|signature|"
    r"\bprotect|isAdmin|withAuth|validateRequest|cookies\(|clerk|assert|ensure|permission|secret|apiKey",
    re.IGNORECASE,
)


@rule("NDB406", Category.ISOLATION, Severity.HIGH)
def check(tree: Tree) -> Iterator[Finding]:
    """Look at exported functions of server actions and route handlers."""
    for path in tree.named(suffix=(".ts", ".tsx", ".js", ".jsx")):
        text = "" if is_test(path) else tree.text(path) or ""
        if not DATABASE.search(text):
            continue
        if MARKED.match(text):
            yield from _actions(path, text)
        elif re.search(r"(?:^|/)app/.*route\.[jt]sx?$", path):
            yield from _handlers(path, text)


def _functions(text: str) -> Iterator[tuple[str, int, str]]:
    """Give name, place and text of every exported function, up to the next one."""
    found = list(ACTION.finditer(text))
    for match, following in zip(found, [*found[1:], None], strict=True):
        end = following.start() if following else len(text)
        yield match["name"] or match["constant"], match.start(), text[match.start() : end]


def _actions(path: str, text: str) -> Iterator[Finding]:
    for name, start, body in _functions(text):
        head = body.partition("{\n")[0] if "({" not in body[:200] else body[:200].partition(")")[0]
        claim = CLAIM.search(head)
        if claim and DATABASE.search(body) and not ASKS.search(body):
            yield _finding(path, text.count("\n", 0, start) + 1, name, claim["id"])


def _handlers(path: str, text: str) -> Iterator[Finding]:
    if ASKS.search(text):
        return
    for name, start, body in _functions(text):
        claim = FROM_REQUEST.search(body)
        if claim and DATABASE.search(body):
            line = text.count("\n", 0, start + claim.start()) + 1
            yield _finding(path, line, name, claim["query"] or claim["body"])


def _finding(path: str, line: int, name: str, claim: str) -> Finding:
    return Finding(
        path,
        line,
        f"Anybody can call {name}() with another user's {claim} and reach that user's rows: nothing "
        "in it asks "
        "who is calling.",
        steps=(
            f"Take {claim} from the session on the server, and remove it from the arguments.",
            "Answer with an error when there is no session.",
        ),
        snippet="const session = await auth.api.getSession({ headers: await headers() });\n"
        'if (!session) throw new Error("Unauthorized");',
    )
