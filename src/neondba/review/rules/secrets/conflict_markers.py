"""A file of settings holds the marks of an unfinished merge.

git wrote both sides of a conflict into the file and somebody committed it so. In an ignore file the
marks count as patterns and hide nothing; in a `.env` or YAML file what follows is read wrongly or not
at all.

## Instead
```text bad path=.gitignore case=marks
<<<<<<< HEAD  # <- finding
.env
=======
*.pyc
>>>>>>> feature
```
```text good path=.gitignore case=settled
.env
*.pyc
```
## When it does not matter
A line of equals signs alone is a heading, not a conflict:
```text good path=.env.example case=heading
# =======
DATABASE_URL=
# =======
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_OPENING = re.compile(r"^<{7}(?: .*)?$.*?^={7}\r?$.*?^>{7}(?: |$)", re.MULTILINE | re.DOTALL)
_SUFFIXES = (
    ".gitignore",
    ".env",
    ".yml",
    ".yaml",
    ".toml",
    ".ini",
    ".prisma",
    ".dockerignore",
    ".example",
    "Dockerfile",
)


@rule("NDB118", Category.ENV, Severity.LOW)
def check(tree: Tree) -> Iterator[Finding]:
    """Report each settings file with conflict marks."""
    for path in tree.named(suffix=_SUFFIXES):
        text = tree.text(path) or ""
        match = _OPENING.search(text) if "<<<<<<<" in text else None
        if match:
            yield Finding(
                path,
                text.count("\n", 0, match.start()) + 1,
                f"{path} was committed with an unfinished merge in it: its lines between the marks do not "
                "do what they seem to say.",
                steps=("Keep one side, delete the three lines of marks, and commit.",),
                snippet=f"git checkout --ours {path}  # or --theirs",
            )
