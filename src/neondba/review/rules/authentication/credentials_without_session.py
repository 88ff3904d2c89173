"""Sign-in with a password makes no session in the database.

Auth.js writes a session row only for providers that redirect (OAuth, e-mail). With the Credentials provider
and `strategy: "database"` it refuses to start, or signs the user in and the next request knows nobody: no
row, no session. People then write rows into `Session` by hand, past all checks of the library.

## Instead
```typescript bad path=src/auth.ts
import NextAuth from "next-auth";
import Credentials from "next-auth/providers/credentials";
import { PrismaAdapter } from "@auth/prisma-adapter";

export const { auth, handlers } = NextAuth({
  adapter: PrismaAdapter(prisma),
  session: { strategy: "database" }, // <- finding
  providers: [Credentials({ authorize: check })],
});
```
```typescript good path=src/auth.ts
import NextAuth from "next-auth";
import Credentials from "next-auth/providers/credentials";
import { PrismaAdapter } from "@auth/prisma-adapter";

export const { auth, handlers } = NextAuth({
  adapter: PrismaAdapter(prisma),
  session: { strategy: "jwt" },
  providers: [Credentials({ authorize: check })],
});
```
## When it does not matter
Providers that redirect keep their sessions in the database, and a token of one's own may name a session:
```typescript good path=src/auth.ts case=oauth
import NextAuth from "next-auth";
import GitHub from "next-auth/providers/github";

export const { auth } = NextAuth({ session: { strategy: "database" }, providers: [GitHub] });
```
```typescript good path=src/auth.ts case=encoded
import NextAuth from "next-auth";
import Credentials from "next-auth/providers/credentials";

export const { auth } = NextAuth({
  session: { strategy: "database" },
  providers: [Credentials({ authorize: check })],
  jwt: { encode: async ({ token }) => createSession(token) },
});
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Object, Text
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

PROVIDER = ("next-auth/providers/credentials", "@auth/core/providers/credentials")


@rule("NDB507", Category.AUTH, Severity.HIGH)
def check(files: TypeScriptFiles) -> Iterator[Finding]:
    """Find sessions in the database beside the Credentials provider."""
    if not any(files.containing(*PROVIDER)):
        return
    for file in files.containing("strategy"):
        sessions = [s for o in file.objects if isinstance(s := o.get("session"), Object)]
        encodes = any(o.get("jwt", "encode") is not None for o in file.objects)
        for session in sessions:
            strategy = session.get("strategy")
            if isinstance(strategy, Text) and strategy.value == "database" and not encodes:
                yield Finding(
                    file.path,
                    strategy.line,
                    "Who signs in with a password gets no session: Auth.js keeps none in the database for "
                    "the Credentials provider.",
                    steps=(
                        'Use strategy: "jwt" beside the Credentials provider.',
                        "Or sign in by e-mail link, OAuth or Better Auth, which keep sessions there.",
                    ),
                    snippet='session: { strategy: "jwt" },',
                )
