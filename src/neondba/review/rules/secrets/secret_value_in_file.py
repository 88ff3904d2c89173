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
```
```python good path=tests/test_auth.py case=tests
SECRET_KEY = "q8Zt3vXw6\x4crNp2KdYh5BsJm9"
```
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from neondba.project.gitignore import Ignores
from neondba.project.placeholder import is_placeholder, is_random
from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import from_environment, is_read_by_people

_WORDS = (
    "SECRET",
    "PASSWORD",
    "_KEY",
    "TOKEN",
    "secret",
    "password",
    "Secret",
    "Password",
    "apiKey",
    "api_key",
)
_NAME = re.compile(
    r"(?:SECRET|PASSWORD|PASSWD|(?:API|SECRET|PRIVATE|ENCRYPTION|SIGNING|ACCESS|SERVICE_ROLE|AUTH|MASTER)_?KEY|TOKEN)"
    r"(?:_[A-Z0-9]+)?$",
    re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"public|anon|publishable|site_?key|client_?id|key_?id|name$|file$|path$|header$|url$|hash$|ref$|arn$|id$",
    re.IGNORECASE,
)
_SET = re.compile(
    r"[\w.-]*(?P<close>\\?[\"'])?\]?(?:\s*:\s*(?:str|string|Final)(?:\[str\])?)?\s*(?::|=|=>|,)\s*(?P<quote>\\?[\"'])?"
    r"(?P<value>[A-Za-z0-9+/=_!#%^&*~.\-]{12,200})(?P<end>\\?[\"'\s,;)\\]|$)",
    re.MULTILINE,
)
_STARTS = (
    "sk_live_", "rk_live_", "sk-", "ghp_", "gho_", "ghs_", "github_pat_", "xoxb-", "xoxp-", "gsk_", "AKIA",
    "whsec_", "sbp_", "rnd_", "dop_v1_", "glpat-",
)  # fmt: skip
_BODY = re.compile(r"(?:proj-|ant-|or-v1-)?(?P<body>[A-Za-z0-9_\-]{16,200})(?!\.\.\.)")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,400}\.(?P<claims>eyJ[A-Za-z0-9_-]{8,2000})\.[A-Za-z0-9_-]{20,}")
_OWN = re.compile(r"google-services\.json$|GoogleService-Info\.plist$")
"""Files of keys that every copy of an app carries."""
_CODE = (
    ".py",
    ".ts",
    ".tsx",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".go",
    ".rs",
    ".java",
    ".sql",
    ".prisma",
    ".cs",
    ".rb",
)


@rule("NDB105", Category.SECRET, Severity.HIGH)
def check(tree: Tree, ignores: Ignores) -> Iterator[Finding]:
    """Report each random-looking value of a secret once a file."""
    for path in tree.paths:
        text = tree.text(path)
        if not text or is_test(path) or _OWN.search(path):
            continue
        found = sorted([*_assigned(path, text), *_prefixed(text), *_service_roles(text)])
        if not found or not is_read_by_people(tree, ignores, path):
            continue
        seen: set[str] = set()
        for start, name, value in found:
            if value not in seen:
                seen.add(value)
                yield _finding(path, text.count("\n", 0, start) + 1, name)


def _assigned(path: str, text: str) -> Iterator[tuple[int, str, str]]:
    for word in _WORDS:
        at = text.find(word)
        while at >= 0:
            match = _SET.match(text, at)
            if match:
                name = _whole_name(text, at, match)
                if _counts(path, name, match):
                    yield at, name, match["value"]
            at = text.find(word, at + len(word))


def _whole_name(text: str, at: int, match: re.Match[str]) -> str:
    before = re.search(r"[\w-]*$", text[max(0, at - 60) : at])
    after = re.match(r"[\w-]*", match[0])
    return (before[0] if before else "") + (after[0] if after else "")


def _counts(path: str, name: str, match: re.Match[str]) -> bool:
    quoted = bool(match["quote"])
    if path.endswith(_CODE) and (not quoted or match["end"].strip("\\")[:1] not in ('"', "'")):
        return False
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).replace("-", "_")
    if (
        not _NAME.search(snake)
        or _PUBLIC.search(snake)
        or match["value"].startswith(("npg_", "napi_", "eyJ"))
    ):
        return False
    if (match["value"].count(".") > 0 and not quoted) or path.startswith(".github/workflows/"):
        return False
    return is_random(match["value"], 12 if re.search("passw", name, re.IGNORECASE) else 16)


def _prefixed(text: str) -> Iterator[tuple[int, str, str]]:
    for start in _STARTS:
        at = text.find(start)
        while at >= 0:
            match = _BODY.match(text, at + len(start))
            if (
                match
                and not text[at - 1 : at].isalnum()
                and _is_key(match["body"])
                and not _is_shown(text, at)
            ):
                yield at, "", text[at : match.end()]
            at = text.find(start, at + len(start))


def _service_roles(text: str) -> Iterator[tuple[int, str, str]]:
    """Give the tokens that say of themselves that they are Supabase's service role."""
    for match in _JWT.finditer(text) if "eyJ" in text else ():
        try:
            claims = base64.urlsafe_b64decode(match["claims"] + "==").decode("utf-8", "replace")
        except ValueError:
            continue
        if '"service_role"' in claims.replace(" ", "") and "supabase-demo" not in claims:
            yield match.start(), "SUPABASE_SERVICE_ROLE_KEY", match[0]


def _is_key(body: str) -> bool:
    cased = bool(re.search(r"[A-Z]", body)) or (
        len(body) >= 32 and re.fullmatch(r"[0-9a-f-]+", body) is not None
    )
    varied = cased and bool(re.search(r"\d", body)) and len(set(body)) > 9
    return varied and not is_placeholder(body)


def _is_shown(text: str, at: int) -> bool:
    """Tell whether the line, or the one above, calls itself an example."""
    begin = text.rfind("\n", 0, max(0, text.rfind("\n", 0, at))) + 1
    end = text.find("\n", at)
    return "example" in text[max(begin, at - 400) : min(end if end >= 0 else len(text), at + 400)].lower()


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
