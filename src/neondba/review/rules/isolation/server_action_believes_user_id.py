"""A server action believes the user id that the browser sends.

Every exported function of a `"use server"` file is an address on the internet: anybody can call it with
any arguments, from outside the page that was meant to call it.

## Instead

```ts bad path=src/actions/orders.ts
"use server";
import { db } from "@/lib/db";

export async function listOrders(userId: string) {
  return db.order.findMany({ where: { userId } });  // <- finding
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
  const userId = new URL(request.url).searchParams.get("userId");
  return Response.json(await prisma.order.findMany({ where: { userId } }));  // <- finding
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

from collections.abc import Iterator

from neondba.project.isolation.judged import EntranceKind
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.verdicts import Verdict
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import (
    CHANGES,
    VERBS,
    believes_owner,
    caller_of,
    claim_of,
    guarded_tables,
    line_of_data,
    name_of,
    open_ones,
    way_of,
)  # fmt: skip


@rule("NDB406", Category.ISOLATION, Severity.HIGH)
def check(isolation: TypeScriptIsolation, files: TypeScriptFiles) -> Iterator[Finding]:
    """Look for the client's value where the owner should stand."""
    guarded = guarded_tables(isolation)
    told: set[tuple[str, str, str]] = set()
    for verdict in open_ones(isolation, "row", "owner"):
        entrance = verdict.judged.entrance
        value = (entrance.path, entrance.name, verdict.claim)
        if (value not in told or not verdict.claim) and (verdict.fault == "owner" or believes_owner(verdict)):
            told.add(value)
            line = verdict.judged.line
            if verdict.fault == "owner" and verdict.statement.spread:
                line = line_of_data(files, verdict)
            yield _finding(verdict, line, _severity(verdict, guarded))


def _severity(verdict: Verdict, guarded: frozenset[str]) -> Severity:
    table, judged = verdict.statement.table, verdict.judged
    assert table is not None
    if judged.entrance.kind is EntranceKind.PAGE and judged.table not in guarded:
        return Severity.MEDIUM
    if judged.kind in CHANGES or table.private:
        return Severity.HIGH
    return Severity.MEDIUM


def _finding(verdict: Verdict, line: int, severity: Severity) -> Finding:
    judged, claim = verdict.judged, claim_of(verdict)
    who = "Any signed-in user" if verdict.entrance.known else "Anybody"
    rows = f"{judged.table} rows" + (" in their name" if judged.kind == "insert" else " that are theirs")
    return Finding(
        judged.path,
        line,
        f"{who} who puts another id into {claim} can {VERBS[judged.kind]} {rows}: {name_of(verdict)} "
        f"believes the "
        f"{verdict.column} it is given.",
        steps=(
            f"Take {verdict.column} from the session on the server, and remove it from what the client "
            f"sends.",
            "Answer with an error when there is no session.",
        ),
        snippet=f"{verdict.column}: {caller_of(verdict)}",
        severity=severity,
        way=way_of(verdict),
    )
