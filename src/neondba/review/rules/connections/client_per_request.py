"""A new database client is made for each request.

Every request then opens connections, does the TLS handshake and the login anew, and leaves them open
until the process ends or the server closes them. Under load the database refuses the rest.

## Instead
```typescript bad path=src/app/api/orders/route.ts case=prisma
import { PrismaClient } from "@prisma/client";

export async function GET() {
  const prisma = new PrismaClient();  // <- finding
  return Response.json(await prisma.order.findMany());
}
```
```typescript good path=src/app/api/orders/route.ts case=prisma
import { prisma } from "@/lib/prisma";

export async function GET() {
  return Response.json(await prisma.order.findMany());
}
```
```typescript bad path=src/server.ts case=express
import { Pool } from "pg";

app.get("/orders", async (req, res) => {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL });  // <- finding
  res.json((await pool.query("select 1")).rows);
});
```
## When it does not matter
neon-http has no connection; a Pool of Neon's serverless driver belongs into the handler, and so does a
client on Cloudflare's workers; and a client that is kept:
```typescript good path=src/app/api/orders/route.ts case=right
import { neon, Pool } from "@neondatabase/serverless";
import { PrismaClient } from "@prisma/client";

let kept: PrismaClient | undefined;

export async function GET() {
  const sql = neon(process.env.DATABASE_URL!);
  const pool = new Pool({ connectionString: process.env.DATABASE_URL });
  if (!kept) kept = new PrismaClient();
  return Response.json(await sql`select 1`);
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.script_clients import Client, ScriptClients
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB218", Category.POOLING, Severity.HIGH)
def check(clients: ScriptClients) -> Iterator[Finding]:
    """Report clients that a function makes which answers requests."""
    told = set()
    for client in clients.in_handlers():
        if client.path not in told:
            told.add(client.path)
            yield _finding(client)


def _finding(client: Client) -> Finding:
    return Finding(
        client.path,
        client.line,
        f"Each request to {client.path} makes a new {client.kind} with connections of its own: "
        f"{_then(client)}",
        steps=("Make the client once, in a module of its own.", f"Import it in {client.path}."),
        snippet=f"export const db = new {client.kind}(...);  // at the top of lib/db.ts",
        severity=Severity.MEDIUM if client.is_closed else None,
    )


def _then(client: Client) -> str:
    if client.is_closed:
        return (
            "each waits for a TLS handshake and a login, and many at once use up the database's connections."
        )
    return "they stay open after the answer, until the database refuses more."
