"""A function of a "use server" module hands out users' rows.

Every exported function of such a module is an address of its own: the browser calls it with any argument,
also where the project only calls it from other code on the server. One that looks a user up by e-mail gives
the whole row to whoever asks, the password's hash and the address included.

## Instead
```prisma bad path=prisma/schema.prisma case=query
model User {
  id       String @id
  email    String @unique
  password String
}
```
```ts bad path=src/db/queries/users.ts case=query
"use server";
import { prisma } from "@/lib/prisma";

export async function getUser(email: string) {
  return prisma.user.findUnique({ where: { email } }); // <- finding
}
```
```prisma good path=prisma/schema.prisma case=query
model User {
  id       String @id
  email    String @unique
  password String
}
```
```ts good path=src/db/queries/users.ts case=query
import "server-only";
import { prisma } from "@/lib/prisma";

export async function getUser(email: string) {
  return prisma.user.findUnique({ where: { email } });
}
```
A public procedure is such an address, too:

```ts bad path=src/server/users.ts case=procedure
import { eq } from "drizzle-orm";
import { z } from "zod";
import { db } from "@/db";
import { users } from "@/db/schema";
import { publicProcedure, router } from "./trpc";

export const userRouter = router({
  byId: publicProcedure.input(z.object({ userId: z.string() })).query(async ({ input }) => {
    const [user] = await db.select().from(users).where(eq(users.id, input.userId));  // <- finding
    return user;
  }),
});
```

```ts bad path=src/db/schema.ts case=procedure
import { pgTable, text } from "drizzle-orm/pg-core";

export const users = pgTable("users", {
  id: text("id").primaryKey(),
  email: text("email").notNull(),
});
```

## When it does not matter
Where the row stays on the server, or only harmless columns leave it:
```prisma good path=prisma/schema.prisma case=stays
model User {
  id       String @id
  email    String @unique
  password String
}
```
```ts good path=src/actions/users.ts case=stays
"use server";
import bcrypt from "bcryptjs";
import { prisma } from "@/lib/prisma";

export async function login(email: string, password: string) {
  const user = await prisma.user.findUnique({ where: { email } });
  if (!user || !(await bcrypt.compare(password, user.password))) return { error: "Wrong" };
  return { ok: true };
}
export async function nameOf(email: string) {
  return prisma.user.findUnique({ where: { email }, select: { id: true } });
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.isolation.judged import EntranceKind
from neondba.project.schema_provider import plain
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.verdicts import Verdict
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import claim_of, name_of, way_of

GUARDED = re.compile(r"^(?:password(?:_?hash)?|hashed_?password|hash|token|secret|email)$", re.IGNORECASE)

ACTION = (
    'Take the function out of the "use server" module; `import "server-only"` keeps it there.',
    "Or ask for the session in it, and select only the columns that are shown.",
)
PROCEDURE = ("Make the procedure a protected one.", "Select only the columns that are shown.")
HOLDING = ("user", "account", "verificationtoken", "passwordresettoken")


@rule("NDB431", Category.ISOLATION, Severity.HIGH)
def check(isolation: TypeScriptIsolation) -> Iterator[Finding]:
    """Look for actions that return what they find about the user whom the client names."""
    told: set[tuple[str, int]] = set()
    for verdict in isolation.verdicts:
        judged, statement, door = verdict.judged, verdict.statement, verdict.entrance
        procedure = judged.entrance.name.startswith("procedure ")
        if not (procedure or judged.entrance.kind is EntranceKind.ACTION):
            continue
        if judged.kind not in ("get", "select"):
            continue
        if door.known or door.run.login or not statement.returned or not verdict.claim:
            continue
        column = _column(verdict)
        if column and (judged.path, judged.line) not in told:
            told.add((judged.path, judged.line))
            yield _finding(verdict, column)


def _column(verdict: Verdict) -> str:
    """Give a column of a person's row that no stranger should see; the most telling first."""
    table = verdict.statement.table
    if table is None or plain(table.name) not in (
        "user",
        "account",
        "verificationtoken",
        "passwordresettoken",
    ):
        return ""
    names = [c.field or c.name for c in table.table.columns.values()]
    found = [n for n in names if GUARDED.match(n)]
    return min(found, key=lambda n: (n.lower() == "email", n)) if found else ""


def _finding(verdict: Verdict, column: str) -> Finding:
    judged = verdict.judged
    sure = column.lower() != "email"
    procedure = judged.entrance.kind is not EntranceKind.ACTION
    return Finding(
        judged.path,
        judged.line,
        f"Anybody on the internet gets a whole {judged.table} row, {column} included, from "
        f"{name_of(verdict)}: it is an address of its own, and {claim_of(verdict)} picks the row.",
        steps=PROCEDURE if procedure else ACTION,
        snippet="protectedProcedure" if procedure else 'import "server-only";',
        severity=Severity.HIGH if sure else Severity.MEDIUM,
        way=way_of(verdict),
    )
