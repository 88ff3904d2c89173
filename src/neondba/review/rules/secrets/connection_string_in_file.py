"""A connection string with its password stands in a file that git keeps.

Whoever can read the repository can open the database: every present and past member, every fork,
every service that clones it, and everyone at all once it is public. Deleting the line does not help,
the history still holds it. Examples and documents count as much as code; a real password in
`.env.example` is copied by everybody who follows the instructions.

## Instead
```yaml bad path=docker-compose.yml case=compose
services:
  api:
    environment:
      DATABASE_URL: postgresql\x3a//shop:Wq7rTz2KpX9v@ep-old-lake-a4k7x2bq.eu.aws.neon.tech/shop  # <- finding
```
```yaml good path=docker-compose.yml case=compose
services:
  api:
    environment:
      DATABASE_URL: ${DATABASE_URL:?set it outside the repository}
```
```markdown bad path=docs/deploy.md case=document
Set the address first:

    export DATABASE_URL='postgresql\x3a//shop:Wq7rTz2KpX9v@db.shop-orders.io/shop'  <!-- <- finding -->
```
The parts may be named one by one:
```python bad path=app/db.py case=parts
import psycopg

db = psycopg.connect("host=db.shop-orders.io user=shop pass\x77ord=Wq7rTz2KpX9v dbname=shop")  # <- finding
```
```properties bad path=application.properties case=jdbc
url=jdbc:postgresql://db.shop-orders.io/shop?user=shop&pass\x77ord=Wq7rTz2KpX9v  # <- finding
```
## When it does not matter
Text that only shows where the password goes, whatever its spelling, and the samples of Neon's own
documents:
```text good path=.env.example case=placeholders
DATABASE_URL=postgresql://user:password@ep-example-123456.us-east-2.aws.neon.tech/neondb
DATABASE_URL=postgresql://neondb_owner:xxxxxxxx@ep-xxx-pooler.us-east-2.aws.neon.tech/neondb
DATABASE_URL=postgresql://alex:AbC123dEf@ep-cool-darkness-123456.us-east-2.aws.neon.tech/dbname
DATABASE_URL=postgresql://shop:<password>@db.shop-orders.io/shop
DATABASE_URL=postgresql://shop:${PASSWORD}@db.shop-orders.io/shop
DSN=host=db.shop-orders.io user=shop password=<password> dbname=shop
DSN=host=localhost user=shop password=Wq7rTz2KpX9v dbname=shop
DATABASE_URL=postgresql://shop:npg_...@ep-proud-river-a4k7x2bq.us-east-1.aws.neon.tech/shop
```
Passwords of throw-away databases on this machine, in a compose file or in a pipeline:
```yaml good path=.github/workflows/test.yml case=disposable
env:
  DATABASE_URL: postgresql://postgres:postgres@localhost:5432/test
  COMPOSE_URL: postgresql://shop:Wq7rTz2KpX9v@db:5432/shop
```
A file that git passes by:
```text good path=.env case=ignored
DATABASE_URL=postgresql\x3a//shop_owner:Wq7rTz2KpX9v@ep-proud-river-a4k7x2bq.us-east-1.aws.neon.tech/shop
```
```text good path=.gitignore case=ignored
.env
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.addresses import Address, Addresses
from neondba.project.gitignore import Ignores
from neondba.project.placeholder import is_random
from neondba.project.places import is_document, is_example, is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import from_environment, is_read_by_people


@rule("NDB101", Category.SECRET, Severity.CRITICAL)
def check(addresses: Addresses, tree: Tree, ignores: Ignores) -> Iterator[Finding]:
    """Report each live-looking password once a file."""
    seen = set()
    for address in addresses.live():
        if (address.path, address.password) in seen or not is_read_by_people(tree, ignores, address.path):
            continue
        if is_test(address.path) and not is_random(address.password.reveal().removeprefix("npg_"), 10):
            continue
        seen.add((address.path, address.password))
        yield _finding(address)


def _finding(address: Address) -> Finding:
    whose = f"role {address.user} on {address.host}" if address.user.isidentifier() else address.host
    rotate = f"Reset the password of {address.user} on the Neon branch, under Roles in the console."
    return Finding(
        address.path,
        address.line,
        f"{address.path} holds the password of {whose}. Everyone who can read the repository, its forks or "
        "its history can open that database.",
        steps=(
            rotate if address.is_neon and address.user.isidentifier() else f"Change the password of {whose}.",
            "Put the new address into the environment of the program that needs it, not into a file of git.",
            "Replace the text here. The old password stays in the history; it must no longer work.",
        ),
        snippet=_snippet(address),
        evidence=address.shown,
        masked=True,
    )


def _snippet(address: Address) -> str:
    if is_document(address.path) or is_example(address.path):
        return "DATABASE_URL=postgresql://<role>:<password>@<host>/<database>?sslmode=require"
    return from_environment(address.path, "DATABASE_URL" if "sql" in address.scheme else "STORE_URL")
