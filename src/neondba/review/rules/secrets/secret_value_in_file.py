"""The value of a secret stands in a file that git keeps.

A signing secret lets its reader log in as anybody; an API key spends your money. Values reach the
repository in helm charts, compose files, documents, notebooks, and in the lists of allowed commands
that coding agents keep.

## Instead
```yaml bad path=charts/shop/values.yaml case=chart
auth:
  BETTER_AUTH_SECRET: "q8Zt3vXw6\x4crNp2KdYh5BsJm9"  # <- finding
```
```yaml good path=charts/shop/values.yaml case=chart
auth:
  existingSecret: shop-auth
```
```python bad path=app/pay.py case=key
STRIPE_API_KEY = "sk\x5flive_51Hq8Zt3vXw6LrNp2KdYh5"  # <- finding
```
A key of Supabase's service role, which no row-level security holds back:
```bash bad path=deploy/values.sh case=role
SUPABASE_KEY=\x65yJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.q8Zt3vXw6LrNp2KdYh5B  # <- finding
```
## When it does not matter
Stand-ins, values that are meant to be public, names of secrets, hashes of files, and tests:
```text good path=README.md case=stand-ins
BETTER_AUTH_SECRET=your-secret-key-min-32-characters
JWT_SECRET="generate-with-openssl-rand-hex-32"
SECRET_KEY=<openssl rand -hex 32>
NEXT_PUBLIC_SUPABASE_ANON_KEY=q8Zt3vXw6\x4crNp2KdYh5BsJm9
API_KEY_HEADER=X-Api-Key-2024-shop
STRIPE_SECRET_KEY=
STRIPE_PRODUCTS=prod_q8Zt3vXw6\x4crNp2KdYh5BsJm9
```
```python good path=tests/test_auth.py case=tests
SECRET_KEY = "q8Zt3vXw6\x4crNp2KdYh5BsJm9"
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.environment import Environment
from neondba.project.gitignore import Ignores
from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._reading import is_of_every_app, values
from neondba.review.rules.secrets._shared import from_environment, is_read_by_people

_END_TO_END = re.compile(r"(?:^|/)e2e[_.-][^/]*$|_test\.go$")


@rule("NDB105", Category.SECRET, Severity.HIGH)
def check(tree: Tree, ignores: Ignores, environment: Environment) -> Iterator[Finding]:
    """Report each random-looking value of a secret once a file; defaults in code are NDB103's."""
    defaults = {(read.path, read.default) for read in environment.reads if read.default}
    for path in tree.paths:
        text = tree.text(path)
        if not text or is_test(path) or is_of_every_app(path) or _END_TO_END.search(path):
            continue
        found = values(path, text)
        if not found or not is_read_by_people(tree, ignores, path):
            continue
        seen: set[str] = set()
        for start, name, value in found:
            if value not in seen and (path, value) not in defaults:
                seen.add(value)
                yield _finding(path, text.count("\n", 0, start) + 1, name)


def _finding(path: str, line: int, name: str) -> Finding:
    what = f"the value of {name}" if name else "a key of a paid service"
    reader = name if name.isupper() else "API_KEY" if not name else name.upper().replace("-", "_")
    return Finding(
        path,
        line,
        f"{path} holds {what}. Everyone who can read the repository or its history can use it.",
        steps=(
            f"Make a new value for {name or 'the key'} and revoke this one.",
            "Take the text out of the file, and give the value to the program through its environment.",
        ),
        snippet=from_environment(path, reader),
        evidence=f"{name}=***" if name else "***",
        masked=True,
    )
