"""A query names a field that the model does not have.

Prisma refuses such a query when it is reached, with `PrismaClientValidationError`. In TypeScript the
compiler says so, unless the build passes errors by; in JavaScript nothing does until a user comes along.

## Instead

```prisma bad path=prisma/schema.prisma case=select
model Job {
  id       Int      @id
  role     String
  deadLine DateTime
}
```

```javascript bad path=src/jobs.js case=select
export const jobs = async (req, res) => {
  const found = await prisma.job.findMany({
    where: { role: req.query.role },
    select: {
      id: true,
      deadline: true, // <- finding
    },
  });
  return res.json(found);
};
```

```prisma good path=prisma/schema.prisma case=select
model Job {
  id       Int      @id
  role     String
  deadLine DateTime
}
```

```javascript good path=src/jobs.js case=select
export const jobs = async (req, res) => {
  const found = await prisma.job.findMany({
    where: { role: req.query.role },
    select: {
      id: true,
      deadLine: true,
    },
  });
  return res.json(found);
};
```

## When it does not matter

Prisma's own words, names of several columns together, and relations:

```prisma good path=prisma/schema.prisma case=words
model Team {
  id      Int    @id
  members Member[]
}
model Member {
  teamId Int
  userId Int
  team   Team @relation(fields: [teamId], references: [id])
  @@id([teamId, userId])
}
```

```javascript good path=src/teams.js case=words
export const team = async (teamId, userId) => {
  await prisma.member.findUnique({ where: { teamId_userId: { teamId, userId } }, include: { team: true } });
  return prisma.team.findMany({
    where: { OR: [{ id: teamId }], members: { some: { userId } } },
    select: { id: true, _count: { select: { members: true } } },
  });
};
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use
from neondba.project.schema import Table
from neondba.project.typescript.nodes import Object
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import listed

PARTS = ("select", "include", "where", "orderBy", "omit")
WORDS = frozenset({"AND", "OR", "NOT"})


@rule("NDB730", Category.SCHEMA, Severity.HIGH)
def check(calls: OrmCalls) -> Iterator[Finding]:
    """Find fields that a query names and no column or relation has."""
    for script in calls.running(".find", ".update", ".delete", ".upsert(", ".create("):
        told: set[int] = set()
        for _, uses in calls.functions(script):
            for use in uses:
                if use.tool != "prisma" or not use.table.whole or use.table.source != "prisma":
                    continue
                for line, name in _unknown(use):
                    if line not in told:
                        told.add(line)
                        yield _finding(script.path, line, use.table, name)


def _unknown(use: Use) -> Iterator[tuple[int, str]]:
    """Give the fields at the top of what a query is asked with."""
    given = use.links[0][1].arguments[0] if use.links[0][1].arguments else None
    for part in PARTS if isinstance(given, Object) else ():
        value = given.get(part) if isinstance(given, Object) else None
        for field in value.properties if isinstance(value, Object) else ():
            key = field.key
            if not key or field.spread or key in WORDS or "_" in key or not key.isidentifier():
                continue
            if use.table.named(key) is None and key not in use.table.relations:
                yield field.line, key


def _finding(path: str, line: int, table: Table, name: str) -> Finding:
    near = next((c for c in (*table.columns, *table.relations) if c.lower() == name.lower()), "")
    return Finding(
        path,
        line,
        f"`{table.title}` has no {listed([name])}: Prisma refuses the query when it is reached.",
        (
            f"Write {near} instead."
            if near
            else f"Name a field that `{table.title}` has, or add {name} to it.",
        ),
        f"{near}: true" if near else "",
    )
