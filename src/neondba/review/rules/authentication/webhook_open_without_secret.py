"""A webhook believes everybody as long as its secret is not set.

The signature is only looked at where the variable has a value. In a preview, on a new host or after a typing
error it has none, and then whoever finds the address marks orders as paid or makes accounts. Nothing fails,
so nobody notices.

## Instead
```typescript bad path=src/app/api/webhooks/pay/route.ts
import crypto from "crypto";
import { prisma } from "@/lib/prisma";

export async function POST(req: Request) {
  const raw = await req.text();
  const secret = process.env.PAY_WEBHOOK_SECRET;
  if (secret) { // <- finding
    const signature = crypto.createHmac("sha256", secret).update(raw).digest("hex");
    if (signature !== req.headers.get("x-signature")) return new Response("Invalid", { status: 401 });
  }
  const event = JSON.parse(raw);
  await prisma.order.update({ where: { id: event.orderId }, data: { status: "PAID" } });
  return Response.json({ ok: true });
}
```
```typescript good path=src/app/api/webhooks/pay/route.ts
import crypto from "crypto";
import { prisma } from "@/lib/prisma";

export async function POST(req: Request) {
  const raw = await req.text();
  const secret = process.env.PAY_WEBHOOK_SECRET;
  if (!secret) return new Response("Not configured", { status: 503 });
  const signature = crypto.createHmac("sha256", secret).update(raw).digest("hex");
  if (signature !== req.headers.get("x-signature")) return new Response("Invalid", { status: 401 });
  const event = JSON.parse(raw);
  await prisma.order.update({ where: { id: event.orderId }, data: { status: "PAID" } });
  return Response.json({ ok: true });
}
```
The same for a job that a timer calls:
```typescript bad path=src/app/api/cron/clean/route.ts case=cron
import { prisma } from "@/lib/prisma";

export async function GET(req: Request) {
  const secret = process.env.CRON_SECRET;
  if (secret && req.headers.get("authorization") !== `Bearer ${secret}`) { // <- finding
    return new Response("Unauthorized", { status: 401 });
  }
  await prisma.session.deleteMany({ where: { expires: { lt: new Date() } } });
  return Response.json({ ok: true });
}
```
## When it does not matter
Where the program does not start without the variable, or stops at once:
```typescript good path=src/app/api/cron/clean/route.ts case=cron
import { prisma } from "@/lib/prisma";

export async function GET(req: Request) {
  const secret = process.env.CRON_SECRET;
  if (!secret || req.headers.get("authorization") !== `Bearer ${secret}`) {
    return new Response("Unauthorized", { status: 401 });
  }
  await prisma.session.deleteMany({ where: { expires: { lt: new Date() } } });
  return Response.json({ ok: true });
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_script, is_test
from neondba.project.typescript import callers
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import (
    Binary,
    Block,
    Call,
    Declare,
    Function,
    If,
    Member,
    Name,
    Node,
    Return,
    Throw,
    Unary,
    dotted,
    walk,
)  # fmt: skip
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

SECRET = re.compile(r"SECRET|SIGNING|SIGNATURE|TOKEN|API_?KEY|PASSWORD")
PLACE = re.compile(r"webhook|cron|/hooks?/|/jobs?/|callback|internal|seed|trigger|revalidate", re.IGNORECASE)
SENT = re.compile(r"header|signature|token|secret|auth|query|param|raw|sig", re.IGNORECASE)


@rule("NDB522", Category.AUTH, Severity.HIGH)
def check(files: TypeScriptFiles) -> Iterator[Finding]:
    """Find checks of a signature that are left out where the secret is not set."""
    for path in files.paths:
        if is_test(path) or is_script(path) or "process.env" not in (text := files.text(path)):
            continue
        if not (PLACE.search(path) or PLACE.search(text)) or not SECRET.search(text):
            continue
        file = files.get(path)
        if file is not None and file.directive != "use client":
            yield from _in_file(file)


def _in_file(file: TypeScriptFile) -> Iterator[Finding]:
    required = {n for n in _stopping(file.body) if n}
    for function in file.functions:
        own = f"{file.path} {function.name}"
        if not PLACE.search(own) and not _is_called_there(file, function):
            continue
        secrets = _secrets(file, function)
        stopped = {n for n in _stopping([function.body]) if n} | required
        for node in walk(function.body):
            if not isinstance(node, If):
                continue
            name = _skipped(node, secrets)
            if name and name not in stopped and _goes_on(node, function):
                yield _finding(file.path, node.line, secrets[name])
                break


def _is_called_there(file: TypeScriptFile, function: Function) -> bool:
    """Tell whether a router hands a webhook's address to a function."""
    return any(
        PLACE.search(getattr(call.arguments[0], "value", ""))
        for call in file.calls
        if len(call.arguments) > 1
        and any(a is function for a in call.arguments)
        and isinstance(getattr(call.arguments[0], "value", None), str)
    )


def _secrets(file: TypeScriptFile, function: Function) -> dict[str, str]:
    """Give the names that stand for a secret of the environment, with the variable's."""
    found = {}
    for node in [*file.body, *walk(function.body)]:
        if isinstance(node, Declare) and isinstance(node.target, Name) and isinstance(node.value, Member):
            variable = dotted(node.value)
            if variable.startswith("process.env.") and SECRET.search(variable):
                found[node.target.name] = node.value.name
    for node in walk(function.body):
        if isinstance(node, Member) and SECRET.search(node.name) and dotted(node).startswith("process.env."):
            found.setdefault(dotted(node), node.name)
    return found


def _stopping(nodes: list[Node]) -> Iterator[str]:
    """Give what code refuses to go on without: `if (!secret) throw …`."""
    for top in nodes:
        for node in walk(top):
            if not isinstance(node, If) or not _leaves(node.then):
                continue
            for part in walk(node.test):
                if isinstance(part, Unary) and part.operator == "!":
                    yield _word(part.value)


def _leaves(node: Node) -> bool:
    return any(isinstance(n, Return | Throw) for n in walk(node))


def _ends(node: Node) -> bool:
    """Tell whether nothing goes on after a block."""
    last = node.body[-1] if isinstance(node, Block) and node.body else node
    return isinstance(last, Return | Throw)


def _word(node: Node) -> str:
    return dotted(node) if isinstance(node, Member) else node.name if isinstance(node, Name) else ""


def _skipped(node: If, secrets: dict[str, str]) -> str:
    """Give the secret without which a check is passed over."""
    test = node.test
    if _word(test) in secrets:
        refuses = any(isinstance(n, If) and _leaves(n.then) for n in walk(node.then))
        checks = any(_is_check(n) for n in walk(node.then))
        open_else = node.otherwise is None or not _ends(node.otherwise)
        return _word(test) if checks and (refuses or _throws(node.then)) and open_else else ""
    if isinstance(test, Binary) and test.operator == "&&" and _word(test.left) in secrets:
        return _word(test.left) if _is_check(test.right) and _leaves(node.then) else ""
    return ""


def _throws(node: Node) -> bool:
    return any(
        isinstance(n, Throw) or (isinstance(n, Call) and "verify" in n.name.lower()) for n in walk(node)
    )


def _is_check(node: Node) -> bool:
    """Tell whether an expression compares what was sent, or verifies a signature."""
    if isinstance(node, Call):
        return bool(callers.SIGNATURE.search(node.name)) or "verify" in node.name.lower()
    if isinstance(node, Unary):
        return _is_check(node.value)
    if isinstance(node, Binary) and node.operator in ("===", "!==", "==", "!="):
        return bool(SENT.search(_all_names(node)))
    return False


def _all_names(node: Node) -> str:
    return " ".join(n.name for n in walk(node) if isinstance(n, Name | Member))


def _goes_on(node: If, function: Function) -> bool:
    """Tell whether the function does something after the check."""
    end = max(getattr(n, "line", 0) for n in walk(node))
    return any(isinstance(n, Call) and n.line > end for n in walk(function.body))


def _finding(path: str, line: int, variable: str) -> Finding:
    return Finding(
        path,
        line,
        f"Where {variable} is not set, nothing is checked: whoever finds this address is believed.",
        steps=(
            f"Refuse the request when {variable} is missing.",
            "Check the variable when the program starts, so that a deployment without it fails.",
        ),
        snippet='if (!secret) return new Response("Not configured", { status: 503 });',
    )
