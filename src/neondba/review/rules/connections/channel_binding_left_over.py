"""`sslmode` is cut out of the address for asyncpg, and `channel_binding` stays.

The addresses that Neon's console gives end in `?sslmode=require&channel_binding=require`. Without the first
parameter and its question mark the rest becomes part of the database's name; where only the name of the
first is changed, asyncpg is called with an argument that it does not know. Either way the first connection
fails, with exactly the address that the console shows.

## Instead

```python bad path=app/db.py
import os
import re
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")  # from neon.tech
url = re.sub(r"[?&]sslmode=[^&]+", "", url)  # <- finding
engine = create_async_engine(url, connect_args={"ssl": "require"})
```

```python good path=app/db.py
import os
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

url = make_url(os.environ["DATABASE_URL"])  # from neon.tech
url = url.set(drivername="postgresql+asyncpg").difference_update_query(["sslmode", "channel_binding"])
engine = create_async_engine(url, connect_args={"ssl": "require"})
```

```python bad path=app/config.py case=replaced
import os
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")  # Neon
url = url.replace("?sslmode=require", "")  # <- finding
engine = create_async_engine(url, connect_args={"ssl": True})
```

## When it does not matter

All parameters go, or both are named:

```python good path=app/db.py case=all
import os
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ["DATABASE_URL"].split("?")[0].replace("postgresql://", "postgresql+asyncpg://")  # Neon
engine = create_async_engine(url.replace("?sslmode=require", ""), connect_args={"ssl": True})
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import PythonFiles
from neondba.project.services import Services
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_CUT = re.compile(
    r"^[^#\n]*(?:\.replace\(\s*[\"'][?&]?sslmode=\w+[\"']\s*,|re\.sub\(\s*r?[\"'][^\"'\n]*sslmode=)",
    re.MULTILINE,
)
_WHOLE = re.compile(
    r"channel_binding|make_url|urlparse|urlsplit|parse_qs|(?:split|partition|index|find|rsplit)\(\s*[\"']\?[\"']"
)


@rule("NDB225", Category.CONNECTION, Severity.MEDIUM)
def check(python: PythonFiles, services: Services) -> Iterator[Finding]:
    """Report the place that takes sslmode alone."""
    for file in python.containing("sslmode="):
        if "asyncpg" not in file.text or is_test(file.path) or _WHOLE.search(file.text):
            continue
        found = _CUT.search(file.text)
        if found is None or not services.uses_neon(file.path):
            continue
        yield Finding(
            file.path,
            file.text.count("\n", 0, found.start()) + 1,
            "Neon's addresses end in ?sslmode=require&channel_binding=require: this line leaves "
            "channel_binding behind, and the first connection fails.",
            ("Take all parameters out of the parsed address, and hand ssl to the driver.",),
            'make_url(url).difference_update_query(["sslmode", "channel_binding"])',
        )
