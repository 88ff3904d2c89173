"""Nobody looks whether a write over Supabase's client succeeded.

`supabase-js` throws nothing: a refused row, a missing column, a policy that says no come back as `error`
in the answer. A write whose answer is dropped fails in silence, and the user is told that all went well.

## Instead
```typescript bad path=src/messages.ts case=dropped
export async function send(supabase, room: string, content: string) {
  await supabase.from("messages").insert({ room, content }); // <- finding
  return room;
}
```
```typescript good path=src/messages.ts case=dropped
export async function send(supabase, room: string, content: string) {
  const { error } = await supabase.from("messages").insert({ room, content });
  if (error) throw error;
  return room;
}
```
## When it does not matter
A client that throws, an answer that is handed on, and notes whose loss nobody minds:
```typescript good path=src/messages.ts case=throws
export async function send(supabase, room: string, content: string) {
  await supabase.from("messages").insert({ room, content }).throwOnError();
  await supabase.from("audit_logs").insert({ room });
  await buffer.from("messages").concat({ room });
  return supabase.from("messages").update({ content }).eq("room", room);
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.orm_calls import chain
from neondba.project.places import is_script, is_test
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Block, Call, Declare, Name, Text
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._blocks import own_nodes, statements
from neondba.review.rules.production._shared import times

_WRITES = frozenset({"insert", "update", "upsert", "delete"})
_NOTES = re.compile(
    r"(?:^|_)(?:logs?|audits?|events?|analytics|metrics|views|visits|history|traces?|usage)(?:_|$)",
    re.IGNORECASE,
)


@rule("NDB916", Category.PRODUCTION, Severity.MEDIUM)
def check(files: TypeScriptFiles) -> Iterator[Finding]:
    """Report the first such write of each file."""
    for file in files.containing(".from("):
        if "supabase" not in files.text(file.path).lower() or is_test(file.path) or is_script(file.path):
            continue
        found = sorted(set(_dropped(file)))
        if found:
            line, table, kind = found[0]
            yield Finding(
                file.path,
                line,
                f"When the {kind} of {table} is refused, nobody hears of it{times(len(found))}: supabase-js "
                "throws nothing, and the answer with the error is dropped.",
                steps=("Read error from the answer, and stop where there is one.",),
                snippet="const { error } = await …;\nif (error) throw error;",
            )


def _dropped(file: TypeScriptFile) -> Iterator[tuple[int, str, str]]:
    """Give the writes that stand as statements of their own, with their tables."""
    for function in file.functions:
        unread = _unread(function.body)
        for block in (n for n in own_nodes(function.body) if isinstance(n, Block)):
            for statement in statements(block):
                value = (
                    statement.value if statement in unread and isinstance(statement, Declare) else statement
                )
                if not isinstance(value, Call) or not value.awaited:
                    continue
                _, links = chain(value)
                names = [name for name, _ in links]
                first = links[0][1].arguments[0] if links and links[0][1].arguments else None
                if len(links) < 2 or names[0] != "from" or names[1] not in _WRITES:
                    continue
                if isinstance(first, Text) and "throwOnError" not in names and not _NOTES.search(first.value):
                    yield value.line, first.value, names[1]


def _unread(body: object) -> list[Declare]:
    """Give the declarations whose name is never read again."""
    nodes = list(own_nodes(body))  # type: ignore[arg-type]
    named = [n for n in nodes if isinstance(n, Declare) and isinstance(n.target, Name)]
    return [d for d in named if sum(isinstance(n, Name) and n.name == d.target.name for n in nodes) == 1]  # type: ignore[attr-defined]
