"""A private key stands in a file that git keeps.

Whoever has the key can sign as its owner: issue tokens that your services accept, or open the
machines and databases that trust it. A key that was ever in a repository must be replaced.

## Instead
```text bad path=certs/jwt.pem
\x2d----BEGIN PRIVATE KEY-----  # <- finding
MC4CAQAwBQYDK2VwBCIEIJ1hT8q0Zr5Yk2vXn7aWc3LdUe6BgSfHo9PjRiQwEtMy
-----END PRIVATE KEY-----
```
```python good path=app/keys.py
import os

signing_key = os.environ["JWT_PRIVATE_KEY"]
```
## When it does not matter
A text that only shows the form, and keys that tests use among themselves:
```markdown good path=README.md
Paste the key: `-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----`
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.gitignore import Ignores
from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._reading import private_key
from neondba.review.rules.secrets._shared import is_read_by_people


@rule("NDB104", Category.SECRET, Severity.CRITICAL)
def check(tree: Tree, ignores: Ignores) -> Iterator[Finding]:
    """Report each file with a whole private key."""
    for path in tree.paths:
        text = tree.text(path)
        if (
            not text
            or "PRIVATE KEY" not in text
            or is_test(path)
            or not is_read_by_people(tree, ignores, path)
        ):
            continue
        match = private_key(text)
        if match:
            yield Finding(
                path,
                text.count("\n", 0, match.start()) + 1,
                f"{path} holds a private key. Whoever can read the repository can sign as its owner.",
                steps=(
                    "Make a new key and make everything that trusts the old one trust the new one.",
                    f"Remove {path} from git: git rm --cached {path}",
                    "Give the key to the program through its environment or a secret store.",
                ),
                snippet=f"{path}",
                evidence=f"-----BEGIN {match['kind']}PRIVATE KEY----- ***",
                masked=True,
            )
