"""A secret stands in the history of git, though no file of today holds it.

Taking a secret out of a file, or the file out of git, leaves it in every clone: `git show` gives it
back to whoever has read access, now or later. Only one thing helps: the secret must no longer open
anything. Review the history with `neondba review --history`.

## Instead
```python bad path=1a2b3c4:app/settings.py case=history
# <- finding
DATABASE_URL = "postgresql\x3a//shop:Wq7rTz2KpX9v@ep-old-lake-a4k7x2bq.eu.aws.neon.tech/shop"
```
```python good path=1a2b3c4:app/settings.py case=history
import os

DATABASE_URL = os.environ["DATABASE_URL"]
```
## When it does not matter
Stand-ins, local databases, tests, and what a file of today still holds: that is reported there.
```bash good path=1a2b3c4:.env case=stand-ins
DATABASE_URL=postgresql://user:password@ep-example-123456.us-east-2.aws.neon.tech/neondb
DATABASE_URL=postgresql://postgres:postgres@localhost:5432/test
BETTER_AUTH_SECRET=your-secret-key-min-32-characters
```
```markdown good path=docs/keys.md case=today
The key is \x6eapi_q8Zt3vXw6LrNp2KdYh5BsJm9q8Zt3vXw6L.
```
```markdown good path=1a2b3c4:docs/keys.md case=today
Our key is \x6eapi_q8Zt3vXw6LrNp2KdYh5BsJm9q8Zt3vXw6L, keep it.
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from neondba.core.secret import Secret
from neondba.project.addresses import in_text
from neondba.project.history import History, Past, is_past
from neondba.project.placeholder import is_random
from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._reading import is_of_every_app, private_key, tokens, values

_WORDS = (
    b"://", b"npg_", b"napi_", b"PRIVATE KEY", b"SECRET", b"PASSWORD", b"TOKEN", b"_KEY", b"secret",
    b"password", b"Secret", b"Password", b"apiKey", b"api_key", b"sk-", b"AKIA", b"ghp_",
    b"github_pat_", b"eyJ",
)  # fmt: skip
_ROLE = "Reset it on Neon: console, the branch, Roles & Databases, the role, Reset password."
_BRANCHES = "Reset it on every branch that was made while it was in use: each branch keeps its own passwords."
_KEY = "Revoke the key in Neon's console, Account settings, API keys, and make another with fewer rights."


@dataclass(frozen=True)
class _Sighting:
    """A secret as a past text holds it."""

    what: str
    value: Secret
    past: Past
    steps: tuple[str, ...]
    severity: Severity
    times: int = 1


@rule("NDB107", Category.SECRET, Severity.HIGH)
def check(history: History, tree: Tree) -> Iterator[Finding]:
    """Report each secret once, where it first came into the history."""
    found: dict[str, _Sighting] = {}
    for past in history.past(_WORDS):
        for sighting in {s.value: s for s in _sightings(past)}.values():
            known = found.get(sighting.value.reveal())
            found[sighting.value.reveal()] = replace(known, times=known.times + 1) if known else sighting
    for path in history.passed_by:
        tree.notes[f"{path} (history)"] = "versions of it that are large, or too many, were not read"
    today = _standing_today(tree, list(found))
    for value, sighting in found.items():
        if value not in today:
            yield _finding(sighting)


def _standing_today(tree: Tree, wanted: list[str]) -> set[str]:
    """Give the values that a file of today holds."""
    left, seen = set(wanted), set[str]()
    for path in (p for p in tree.paths if wanted and not is_past(p)):
        text = tree.text(path) or ""
        here = {value for value in left if value in text}
        seen |= here
        left -= here
    return seen


def _sightings(past: Past) -> Iterator[_Sighting]:
    path, text = past.path, past.text
    for address in in_text(path, text):
        if address.is_live and not (
            is_test(path) and not is_random(address.password.reveal().removeprefix("npg_"), 10)
        ):
            change = f"Change the password of {address.user} on {address.host}."
            steps = (_ROLE, _BRANCHES) if address.is_neon else (change,)
            what = f"the password in {address.shown}"
            yield _Sighting(what, address.password, past, steps, Severity.HIGH)
    for _, kind, token in tokens(text):
        what = "a Neon API key" if kind == "napi" else "the password of a Neon role"
        steps = (_KEY,) if kind == "napi" else (_ROLE, _BRANCHES)
        yield _Sighting(what, Secret(token), past, steps, Severity.HIGH)
    if is_test(path) or is_of_every_app(path):
        return
    if key := private_key(text):
        body = re.sub(r"\s", "", key["body"])
        steps = ("Make a new key, and make everything that trusts the old one trust the new one.",)
        yield _Sighting("a private key", Secret(body), past, steps, Severity.HIGH)
    for _, name, value in values(path, text):
        what = f"the value of {name}" if name else "a key of a paid service"
        steps = (
            f"Make a new value for {name or 'the key'}, set it wherever it is used, and revoke this one.",
        )
        yield _Sighting(what, Secret(value), past, steps, Severity.MEDIUM)


def _finding(seen: _Sighting) -> Finding:
    times = f", and {seen.times - 1} later versions of it," if seen.times > 1 else ""
    return Finding(
        seen.past.place,
        1,
        f"Commit {seen.past.commit} put {seen.what} into {seen.past.path}. No file of today holds it, but "
        f"that commit{times} still gives it to everyone who can clone the repository.",
        steps=(
            *seen.steps,
            "Give the new value to the programs that need it, and see that the old one is refused.",
            "Rewriting the history alone does not help: clones, forks and caches keep the old one.",
        ),
        snippet=f"git log --all --oneline -- {seen.past.path}",
        severity=seen.severity,
        evidence=seen.what,
        masked=True,
    )
