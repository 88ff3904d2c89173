"""Two environments use the same database.

What is tried in development happens to the users' rows: a reset, a seed, a migration that was not
ready. On Neon a branch with the same data costs a second.

## Instead
```bash bad path=.env.development case=same
DATABASE_URL=postgresql://shop:password@ep-old-lake-a4k7x2bq.eu.aws.neon.tech/shop  # <- finding
```
```bash bad path=.env.production case=same
DATABASE_URL=postgresql://shop:password@ep-old-lake-a4k7x2bq-pooler.eu.aws.neon.tech/shop
```
```bash good path=.env.development case=apart
DATABASE_URL=postgresql://shop:password@ep-new-pond-b7m2q9zt.eu.aws.neon.tech/shop
```
```bash good path=.env.production case=apart
DATABASE_URL=postgresql://shop:password@ep-old-lake-a4k7x2bq.eu.aws.neon.tech/shop
```
## When it does not matter
Examples, and files that name no host:
```bash good path=.env.development.example case=examples
DATABASE_URL=postgresql://user:password@ep-xxx.eu.aws.neon.tech/shop
```
```bash good path=.env.production.example case=examples
DATABASE_URL=postgresql://user:password@ep-xxx.eu.aws.neon.tech/shop
```
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.addresses import Address, Addresses, is_stand_in_host
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_STAGE = re.compile(
    r"(?:^|[./_-])(?P<stage>dev(?:elopment)?|local|test|staging|stage|preview|prod(?:uction)?)(?:[./_-]|$)",
    re.IGNORECASE,
)
_SAME = {"dev": "development", "stage": "staging", "prod": "production", "local": "development"}


@rule("NDB116", Category.ENV, Severity.HIGH)
def check(addresses: Addresses) -> Iterator[Finding]:
    """Report hosts that stand in the files of production and of another stage."""
    stages: dict[str, dict[str, Address]] = defaultdict(dict)
    for address in addresses.all:
        found = _STAGE.search(address.path)
        settings = re.search(r"\.env|\.ya?ml$|\.toml$|\.json$|\.tfvars$", address.path)
        if (
            found
            and settings
            and address.is_store
            and not address.is_local
            and not is_stand_in_host(address.host)
        ):
            stage = found["stage"].lower()
            database = address.host.replace("-pooler.", ".") + address.rest.partition("?")[0]
            stages[database].setdefault(_SAME.get(stage, stage), address)
    for places in stages.values():
        production = places.pop("production", None)
        for stage, address in places.items() if production else ():
            yield Finding(
                address.path,
                address.line,
                f"{stage} and production both use {address.host}: what is tried in {stage} happens to the "
                "users' rows.",
                steps=(
                    f"Make a branch: neondba branch create {stage}",
                    f"Put its address into {address.path}.",
                ),
                snippet=f"neondba branch create {stage}",
                evidence=address.shown,
                masked=True,
            )
