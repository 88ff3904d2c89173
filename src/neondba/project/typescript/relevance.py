"""Which files can lead to the database or to the caller, told from their words alone."""

from __future__ import annotations

import re

from neondba.project.typescript.files import TypeScriptFiles

PLAIN = (
    "prisma", "session", "Auth", "auth(", "procedure", "getUser", "GetUser", "currentUser", "drizzle",
    "supabase", "$queryRaw", "jwt", "clerk",
)  # fmt: skip
"""Looked for one by one, as plain words: many times quicker than one expression for all."""
BOUND = re.compile(r"\bdb\b|\bsql`|auth\b")
DEEPEST = 100
"""Imports of imports that are followed."""
FROM = re.compile(r"(?:from|import|require\()\s*[\"']([^\"'\n]+)[\"']")
# Possessive, or a file that opens with a dozen comments takes minutes.
CLIENT = re.compile(r"\s*+(?:(?://[^\n]*+|/\*(?>.*?\*/))\s*+)*+[\"']use client[\"']", re.DOTALL)


class Relevance:
    """Answers for each file once; imports are followed by their text."""

    def __init__(self, files: TypeScriptFiles) -> None:
        self._files = files
        self._known: dict[str, bool] = {}

    def matters(self, path: str, depth: int = 0) -> bool:
        """Tell whether it is worth reading a file."""
        if path in self._known:
            return self._known[path]
        self._known[path] = False
        text = self._files.text(path)
        if not text or self.is_client(path):
            return False
        found = tells(text) or any(
            (target := self._files.modules.find(path, source)) is not None
            and depth < DEEPEST
            and self.matters(target, depth + 1)
            for source in FROM.findall(text)
        )
        self._known[path] = found
        return found

    def is_client(self, path: str) -> bool:
        """Tell whether a file runs in the browser."""
        text = self._files.text(path)
        return "use client" in text[:2000] and bool(CLIENT.match(text[:3000]))


def tells(text: str) -> bool:
    """Tell whether a file's own words are of the database or the caller."""
    if any(word in text for word in PLAIN):
        return True
    return ("db" in text or "sql`" in text or "auth" in text) and bool(BOUND.search(text))
