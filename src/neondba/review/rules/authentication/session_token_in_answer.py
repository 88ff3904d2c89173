"""A route hands the session's token to the page's scripts.

The token is in a cookie that scripts cannot read. A route that answers with it takes that protection away:
one injected script reads it and is signed in as the user, elsewhere and for as long as the session lives.

## Instead

```typescript bad path=app/api/session/route.ts
import { auth } from "@/lib/auth";

export async function GET(request) {
  const session = await auth.api.getSession({ headers: request.headers });
  return Response.json({
    user: session.user,
    sessionToken: session.session?.token, // <- finding
  });
}
```

```typescript good path=app/api/session/route.ts
import { auth } from "@/lib/auth";

export async function GET(request) {
  const session = await auth.api.getSession({ headers: request.headers });
  return Response.json({ user: session.user, expires: session.session.expiresAt });
}
```

## When it does not matter

Only whether there is a session is told, or another server gets the token in a header:

```typescript good path=app/api/session/route.ts
import { auth } from "@/lib/auth";

export async function GET(request) {
  const session = await auth.api.getSession({ headers: request.headers });
  const answer = await fetch(process.env.API_URL, {
    headers: { Authorization: `Bearer ${session.session.token}` },
  });
  return Response.json({ signedIn: !!session.session.token, items: await answer.json() });
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.places import is_script
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Declare, Function, Member, Name, Node, Object, dotted, walk
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

ANSWERS = ("res.json", "res.send", "Response.json", "c.json", "reply.send", "NextResponse.json")
TOKENS = frozenset({"token", "sessionToken"})


@rule("NDB519", Category.AUTH, Severity.HIGH)
def check(scripts: TypeScriptFiles) -> Iterator[Finding]:
    """Look for answers that carry the token of the session that was just looked up."""
    for file in scripts.containing("getSession("):
        if is_script(file.path) or file.directive == "use client":
            continue
        for function in file.functions:
            line = _answered(function)
            if line is not None:
                yield Finding(
                    file.path,
                    line,
                    f"{function.name or 'The handler'}() answers with the session's token, which its "
                    "cookie keeps from scripts: one injected script takes it and is that user elsewhere.",
                    steps=("Leave the token out of the answer; the browser sends the cookie by itself.",),
                )


def _answered(function: Function) -> int | None:
    sessions = {
        node.target.name
        for node in walk(function.body)
        if isinstance(node, Declare)
        and isinstance(node.target, Name)
        and isinstance(node.value, Call)
        and node.value.name.endswith("api.getSession")
    }
    if not sessions:
        return None
    for node in walk(function.body):
        if isinstance(node, Call) and node.name.endswith(ANSWERS) and node.arguments:
            line = _carried(node.arguments[0], sessions)
            if line is not None:
                return line
    return None


def _carried(node: Node, sessions: set[str]) -> int | None:
    """Give the line where a session's token stands in an answer."""
    if isinstance(node, Member):
        is_token = node.name in TOKENS and isinstance(node.object, Member) and node.object.name == "session"
        return node.line if is_token and dotted(node).partition(".")[0].rstrip("?") in sessions else None
    if not isinstance(node, Object):
        return None
    return next((line for p in node.properties if (line := _carried(p.value, sessions)) is not None), None)
