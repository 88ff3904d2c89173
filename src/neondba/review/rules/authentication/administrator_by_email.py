"""Whoever has an address that ends in the right letters is an administrator.

A program that lets anybody register with an address it never checks lets anybody choose that address. The
ending of an address says nothing about the person until a message to it was answered.

## Instead

```typescript bad path=src/api/presets.ts case=ending
export async function GET(request) {
  const session = await auth.api.getSession({ headers: request.headers });
  const user = session?.user;
  const isAdmin =
    user?.email?.endsWith("@admin.com") || // <- finding
    user?.email === "root@example.org";
  if (!isAdmin) return Response.json({ error: "Not allowed" }, { status: 403 });
}
```
```typescript bad path=src/auth.ts case=ending
import { betterAuth } from "better-auth";

export const auth = betterAuth({
  emailAndPassword: { enabled: true, requireEmailVerification: false },
});
```

```typescript good path=src/api/presets.ts
export async function GET(request) {
  const session = await auth.api.getSession({ headers: request.headers });
  if (session?.user.role !== "admin") return Response.json({ error: "Not allowed" }, { status: 403 });
}
```

## When it does not matter

The provider checks every address before its owner may sign in, or nothing but a hint depends on it:

```typescript good path=src/api/presets.ts case=checked
export async function GET(request) {
  const session = await auth.api.getSession({ headers: request.headers });
  const isAdmin = session?.user?.email?.endsWith("@admin.com");
  if (!isAdmin) return Response.json({ error: "Not allowed" }, { status: 403 });
}
```
```typescript good path=src/auth.ts case=checked
import { betterAuth } from "better-auth";

export const auth = betterAuth({
  emailAndPassword: { enabled: true, requireEmailVerification: true },
});
```
```typescript good path=src/mail.ts case=hint
import { betterAuth } from "better-auth";

export const auth = betterAuth({ emailAndPassword: { enabled: true } });

export function hint(user) {
  return user.email.endsWith("@gmail.com") ? "Open Gmail" : "Open your mail";
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_script, is_test
from neondba.project.schema import Schema
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.authentication.own_password_storage import PASSWORD

SUFFIXES = (".py", ".ts", ".js", ".tsx", ".mjs")
ENDING = re.compile(
    r"""(?:is_?admin|is_?superuser|is_?staff|role)\w*\s*(?::\s*\w+\s*)?(?:=(?!=)|return\b)[^;{}]{0,120}?(?P<end>\bemail"""
    r"""(?:\??\.(?:toLowerCase|lower|strip|trim)\(\))*\??\.(?:endsWith|endswith)\(\s*["'`]@)""",
    re.IGNORECASE,
)
VERIFIES = re.compile(
    r"requireEmailVerification\s*:\s*true|email_?verified|is_verified|verified_?at|email_confirmed",
    re.IGNORECASE,
)
REGISTERS = re.compile(r"emailAndPassword\s*:\s*\{[^}]*enabled\s*:\s*true", re.DOTALL)


@rule("NDB517", Category.AUTH, Severity.HIGH)
def check(tree: Tree, schema: Schema) -> Iterator[Finding]:
    """Look for administrators by address in programs that check no addresses."""
    registers: bool | None = None
    for path in tree.having(SUFFIXES, ("endsWith(", "endswith(")):
        text = tree.text(path) or ""
        found = None if is_test(path) or is_script(path) else ENDING.search(text)
        if found is None:
            continue
        registers = _registers(tree, schema) if registers is None else registers
        if not registers:
            return
        yield _finding(path, text.count("\n", 0, found.start("end")) + 1)


def _registers(tree: Tree, schema: Schema) -> bool:
    """Tell whether anybody can sign up here with an address that nobody checks."""
    own = any(
        PASSWORD.match(c.name) and t.provider is None for t in schema.tables for c in t.columns.values()
    )
    for path in tree.having(SUFFIXES, ("emailAndPassword", "verif", "Verif", "confirmed")):
        text = "" if is_test(path) else tree.text(path) or ""
        if REGISTERS.search(text):
            return "requireEmailVerification: true" not in text
        if own and VERIFIES.search(text):
            return False
    return own


def _finding(path: str, line: int) -> Finding:
    return Finding(
        path,
        line,
        "Whoever signs up with an address that ends in the right letters is an administrator here, and "
        "nobody checks that the address is theirs.",
        steps=(
            "Keep the role with the user, and let only an administrator change it.",
            "Let the provider check addresses before anybody signs in (requireEmailVerification).",
        ),
    )
