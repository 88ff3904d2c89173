"""Several modules of one program make a database client of their own.

Each PrismaClient and each Pool keeps connections of its own. A program in which five controllers make
one takes five times the connections, and each pool is too small to help when one part is busy.

## Instead
```javascript bad path=controllers/jobs.js case=modules
const { PrismaClient } = require("@prisma/client");

const prisma = new PrismaClient();  // <- finding
exports.list = (req, res) => prisma.job.findMany().then((jobs) => res.json(jobs));
```
```javascript bad path=controllers/users.js case=modules
const { PrismaClient } = require("@prisma/client");

const prisma = new PrismaClient();
exports.list = (req, res) => prisma.user.findMany().then((users) => res.json(users));
```
```javascript good path=lib/prisma.js case=modules
const { PrismaClient } = require("@prisma/client");

module.exports = new PrismaClient();
```
```javascript good path=controllers/jobs.js case=modules
const prisma = require("../lib/prisma");

exports.list = (req, res) => prisma.job.findMany().then((jobs) => res.json(jobs));
```
Where one module is there to be shared, the finding stands at the first of the others:
```typescript bad path=src/db.ts case=beside
import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL });
```
```typescript bad path=src/app.ts case=beside
import { pool } from "./db";

export const health = () => pool.query("select 1");
```
```typescript bad path=src/reports.ts case=beside
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL });  // <- finding
export const report = () => pool.query("select 1");
```
## When it does not matter
Scripts, seeds and tests run alone; functions that are deployed one by one do, too; and another address
is another database:
```typescript good path=src/db.ts case=apart
import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL });
```
```typescript good path=src/archive.ts case=apart
import { Pool } from "pg";

export const archive = new Pool({ connectionString: process.env.ARCHIVE_URL });
```
```typescript good path=prisma/seed.ts case=apart
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
```
```typescript good path=netlify/functions/orders.ts case=apart
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
```
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from neondba.project.script_clients import Client, ScriptClients
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_SHARED = re.compile(
    r"(?:^|/)(?:\w*(?:db|prisma|client|database|pool|drizzle|postgres|connection)[^/]*|(?:lib|db|database|config)/[^/]*)$"
)
"""Paths of modules that are there to be imported for their client."""


@rule("NDB217", Category.POOLING, Severity.MEDIUM)
def check(clients: ScriptClients) -> Iterator[Finding]:
    """Report once for each program, kind of client and address."""
    groups: dict[tuple[str, str, str], list[Client]] = {}
    for client in clients.at_top():
        groups.setdefault((client.program, client.kind, client.address), []).append(client)
    for group in groups.values():
        by_path = {client.path: client for client in reversed(group)}
        if len(by_path) < 2:
            continue
        used = Counter({path: clients.importers(path) for path in by_path if _SHARED.search(path)})
        shared = used.most_common(1)[0][0] if used else ""
        others = [by_path[path] for path in sorted(by_path) if path != shared]
        yield _finding(others, shared, len(by_path))


def _finding(others: list[Client], shared: str, number: int) -> Finding:
    first = others[0]
    beside = f"beside the one in {shared}" if shared else f"as {number - 1} other modules do"
    where = shared or "one module, such as lib/db"
    return Finding(
        first.path,
        first.line,
        f"{first.path} makes a {first.kind} of its own, {beside}: the program keeps {number} pools, and "
        f"takes {number} times the connections.",
        steps=(
            f"Import the client of {shared} instead."
            if shared
            else "Make the client in one module, and import it in the others.",
        ),
        snippet=f"// {where}\nexport const db = new {first.kind}(...);",
        also=tuple((client.path, client.line) for client in others[1:]),
    )
