"""Writes that belong together are committed one by one.

If the process ends between them (a deploy, a timeout, a suspended compute), the first stands and the
second never happened: an order without lines, a company that its founder cannot see. One transaction
does both or neither.

## Instead
```python bad path=app/orders.py case=python
def order(session, data):
    order = Order(**data)
    session.add(order)
    session.commit()  # <- finding
    session.add(Stock(product=order.product))
    session.commit()

async def say(session, text, conversation_id):
    message = Message(text=text)
    session.add(message)
    await session.commit()  # <- finding
    conversation = await session.get(Conversation, conversation_id)
    if conversation:
        conversation.updated_at = message.at
        await session.commit()
```
```python good path=app/orders.py case=python
def order(session, data):
    order = Order(**data)
    session.add(order)
    session.flush()
    session.add(Stock(product=order.product))
    session.commit()
```
```typescript bad path=src/company.ts case=typescript
export async function found(name: string, userId: string) {
  const company = await db.company.create({ data: { name, userId } });  // <- finding
  await db.user.update({ where: { id: userId }, data: { companyId: company.id } });
}
```
```typescript good path=src/company.ts case=typescript
export async function found(name: string, userId: string) {
  await db.$transaction(async (tx) => {
    const company = await tx.company.create({ data: { name, userId } });
    await tx.user.update({ where: { id: userId }, data: { companyId: company.id } });
  });
}
```
```prisma bad path=prisma/schema.prisma case=typescript
model Company {
  id     String @id
  name   String
  userId String
}
model User {
  id        String  @id
  companyId String?
}
model ResetToken {
  id    String @id
  email String
}
model AuditLog {
  id     String @id
  userId String
}
```
```typescript bad path=src/reset.ts case=typescript
export async function reset(token: { id: string; email: string }, hash: string) {
  const user = await userByEmail(token.email);
  if (!user) {
    return { error: "No such user" };
  }
  await db.user.update({ where: { id: user.id }, data: { hash } });  // <- finding
  await db.resetToken.delete({ where: { id: token.id } });
  return { success: true };
}
```
Functions that commit for themselves cannot be put together:
```python bad path=app/leads.py case=helpers
from app.companies import create_company
from app.services import create_lead

async def add(request, session, user):
    if request.company_id is None:
        company = await create_company(session, request.company_name)  # <- finding
        request.company_id = company.id
    return await create_lead(session, request, user.id)
```
```python bad path=app/companies.py case=helpers
async def create_company(session, name):
    company = Company(name=name)
    session.add(company)
    await session.commit()
    return company
```
```python bad path=app/services.py case=helpers
async def create_lead(session, request, user_id):
    lead = Lead(company_id=request.company_id, created_by=user_id)
    session.add(lead)
    await session.commit()
    return lead
```
## When it does not matter
Writes of which only one happens, progress that is kept on purpose, and scripts:
```python good path=app/jobs.py case=progress
def work(session, jobs):
    for job in jobs:
        job.state = "running"
        session.commit()
        job.run()
        job.state = "done"
        session.commit()

async def answer(session, question, model):
    session.add(question)
    session.commit()
    reply = await model.answer(question.text)
    session.add(reply)
    session.commit()

def save(session, row):
    if row.id:
        session.merge(row)
        session.commit()
        return
    session.add(row)
    session.commit()
```
```typescript good path=src/save.ts case=either
export async function save(id: string) {
  if (await db.user.findUnique({ where: { id } })) {
    return await db.user.update({ where: { id }, data: {} });
  }
  return await db.user.create({ data: { id } });
}

export async function rename(id: string, name: string) {
  const user = await db.user.update({ where: { id }, data: { name } });
  await db.auditLog.create({ data: { userId: user.id } });
}

export async function charge(id: string) {
  const user = await db.user.update({ where: { id }, data: { state: "charging" } });
  await payments.charge(user.customerId);
  await db.company.create({ data: { userId: user.id } });
}
```
```prisma good path=prisma/schema.prisma case=either
model User {
  id String @id
}
model Company {
  id     String @id
  userId String
}
model AuditLog {
  id     String @id
  userId String
}
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from neondba.project.orm_calls import OrmCalls, Use, names_in
from neondba.project.python import Function, PythonFiles
from neondba.project.typescript import nodes as script
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._blocks import (
    blocks,
    origins,
    own_nodes,
    sent,
    statements,
    transaction_clients,
    value_of,
)
from neondba.review.rules.production._helpers import Helpers, apart
from neondba.review.rules.production._shared import SESSION, apps, is_session_work, method, receiver

_NOTES = re.compile(
    r"log|audit|event|history|activit|notif|metric|analytic|outbox|usage|attempt|statistic|message",
    re.IGNORECASE,
)
"""Tables whose rows tell of a change; without one of them the change is still whole."""
_HARMLESS = re.compile(
    _NOTES.pattern
    + r"|token|session|authenticat|verif|login|ensure|refresh|mail|\bget|generate|\brun_|chat|seed",
    re.IGNORECASE,
)
"""Names of functions between which a program may end, and of those that wait for others."""
_QUICK = re.compile(r"^(?:get|find|fetch|load|read|list|hash|verify|check|compare|generate|exists|is|has)")
_SLOW = re.compile(
    r"^(?:run|invoke|generate|complete|request|post|fetch|send|chat|publish|upload|stream)", re.IGNORECASE
)
_COMMIT = frozenset({"commit"})


@rule("NDB906", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles, calls: OrmCalls) -> Iterator[Finding]:
    """Report the first of two commits in a row, or the first of two Prisma or Drizzle writes."""
    helpers = Helpers(python)
    for file in apps(python, ".commit()", "session", "db"):
        for function in file.functions:
            here = list(_in_function(file.path, function)) if _commits_twice(function) else []
            between = apart(helpers, file, function) if not here and len(function.calls) > 1 else None
            if between is not None and not _HARMLESS.search(between[1]):
                here = [_finding(file.path, *between, "session.flush()")]
            yield from here
    for file_ in calls.running(".create(", ".insert(", ".update(", ".delete(", ".upsert("):
        told: set[int] = set()
        for written, uses in calls.functions(file_):
            if sum(u.writes for u in uses) > 1:
                inside = transaction_clients(file_)
                found = _in_script(calls, written, inside)
                if found is not None and found.line not in told:
                    told.add(found.line)
                    way = "$transaction" if found.tool == "prisma" else "transaction"
                    snippet = f"await {found.client}.{way}(async (tx) => {{ … }});"
                    yield _finding(file_.path, found.line, written.name or found.table.title, snippet)


def _commits_twice(function: Function) -> bool:
    return sum(is_session_work(call, _COMMIT) for call in function.calls) > 1


def _in_function(path: str, function: Function) -> Iterator[Finding]:
    for block in _blocks(function.node.body):
        state = _State()
        if state.follow(block):
            yield _finding(path, state.line, function.name, f"{state.session}.flush()")
            return


@dataclass
class _State:
    """What has been written so far, statement by statement."""

    line: int = 0
    """Of the first commit; 0 before it."""
    session: str = ""
    added: bool = False
    rows: set[str] = field(default_factory=set)
    """What was added before the first commit."""
    again: bool = False
    """Something else was added or changed since."""

    def follow(self, block: list[ast.stmt]) -> bool:
        """Go through statements that run in a row; True at a second commit of another change."""
        for statement in block:
            if isinstance(statement, ast.If):
                goes_on = not statement.orelse and not isinstance(statement.body[-1], ast.Return | ast.Raise)
                if self.line and goes_on and self.follow(statement.body):
                    return True
                continue
            if self.line and _waits_for_others(statement):
                self.line, self.added, self.again, self.rows = 0, False, False, set()
            if self.line and isinstance(statement, ast.Assign):
                self.again |= self.added and self._changes_another(statement)
            call = _call(statement)
            if call is not None and self._write(call, statement.lineno):
                return True
        return False

    def _changes_another(self, statement: ast.Assign) -> bool:
        target = statement.targets[0]
        return (
            isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and target.value.id not in self.rows | {"self", "cls"}
        )

    def _write(self, call: ast.Call, line: int) -> bool:
        name = method(call)
        if name in ("add", "add_all", "delete"):
            self.again |= bool(self.line)
            self.added = True
            self.rows |= {a.id for a in call.args if isinstance(a, ast.Name)}
        if not is_session_work(call, _COMMIT):
            return False
        if self.line and self.again:
            return True
        self.line, self.session, self.again = line, receiver(call), False
        return False


def _waits_for_others(statement: ast.stmt) -> bool:
    """Tell whether a statement asks another service: no transaction should stay open over that."""
    for node in ast.walk(statement):
        if (
            isinstance(node, ast.Await)
            and isinstance(node.value, ast.Call)
            and not SESSION.search(receiver(node.value))
        ):
            return True
        if isinstance(node, ast.Call) and _SLOW.search(method(node)):
            return True
    return False


def _blocks(body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Give the lists of statements that run in a row, without loops and handlers."""
    yield body
    for statement in body:
        if isinstance(statement, (ast.If, ast.Try, ast.With, ast.AsyncWith)):
            yield from _blocks(statement.body)


def _call(statement: ast.stmt) -> ast.Call | None:
    value = statement.value if isinstance(statement, ast.Expr) else None
    value = value.value if isinstance(value, ast.Await) else value
    return value if isinstance(value, ast.Call) else None


def _in_script(calls: OrmCalls, function: script.Function, inside: set[str]) -> Use | None:
    """Give the first of two writes in a row of which the second belongs to the first."""
    made = origins(function)
    for block in blocks(function):
        first: Use | None = None
        results: set[str] = set()
        for statement in statements(block):
            use = sent(calls, statement)
            writes = [u for u in _writes(calls, statement) if u.client not in inside]
            other = next((u for u in writes if first and _belongs(first, u, results, made)), None)
            if other is not None:
                return first
            if use is not None and use.writes and use.client not in inside:
                first = None if _NOTES.search(use.table.title) or _is_many(use) else use
                results = names_in(statement.target) if isinstance(statement, script.Declare) else set()
            elif _leaves(statement) or (use is None and _asks_others(statement)):
                first = None
    return None


def _writes(calls: OrmCalls, statement: script.Node) -> list[Use]:
    """Give the writes of a statement that is no loop; inside of `if` as well, unless it returns there."""
    if isinstance(statement, script.If):
        body = statement.then
        ends = isinstance(body, script.Block) and any(_leaves(s) for s in body.body)
        return [] if ends else [u for u in calls.uses(body) if u.writes]
    use = sent(calls, statement)
    return [use] if use is not None and use.writes and use.node.awaited else []


def _belongs(first: Use, second: Use, results: set[str], made: dict[str, set[str]]) -> bool:
    """Tell whether the second write is of the same matter: it uses what the first one used or gave."""
    if _NOTES.search(second.table.title) or (
        second.table.name.key == first.table.name.key and _same(first, second)
    ):
        return False
    clients = {first.client, second.client, first.client.partition(".")[0]}
    plain = clients | {first.table.label, second.table.label, "eq", "and", "sql", "Date", "undefined"}
    one, other = names_in(first.node) | results, names_in(second.node)
    one |= {s for n in one for s in made.get(n, ())}
    other |= {s for n in other for s in made.get(n, ())}
    return bool((one & other) - plain)


def _same(first: Use, second: Use) -> bool:
    return first.kind == second.kind == "update"


def _is_many(use: Use) -> bool:
    return use.links[0][0].endswith("Many")


def _leaves(statement: script.Node) -> bool:
    return isinstance(statement, script.Return | script.Throw)


def _asks_others(statement: script.Node) -> bool:
    """Tell whether a statement waits for another service: no transaction should stay open over that."""
    return any(
        isinstance(node, script.Call) and node.awaited and not _QUICK.match(node.name.rpartition(".")[2])
        for node in own_nodes(value_of(statement))
    )


def _finding(path: str, line: int, what: str, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        f"If the program ends between the writes of {what}, the first one stands and the second never "
        "happened.",
        steps=("Do both in one transaction.",),
        snippet=snippet,
    )
