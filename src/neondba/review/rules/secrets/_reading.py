"""Find tokens, keys and values of secrets in one text, whatever file or revision it is from."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from neondba.project.addresses import in_text
from neondba.project.placeholder import is_placeholder, is_random

_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_])(?P<kind>npg|napi)_(?P<body>[A-Za-z0-9]{8,128})(?![\w.…*\-]*(?:\.\.\.|…|\*\*))"
)
_KEY = re.compile(
    r"-----BEGIN (?P<kind>[A-Z ]{0,20})PRIVATE KEY(?: BLOCK)?-----"
    r"(?:\\r|\\n|\s|[\w-]+: [^\n]*\n|[\"'+>|]){1,200}?(?P<body>[A-Za-z0-9+/=]{40})"
)
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
    r"public|anon|publishable|site_?key|client_?id|key_?id|name$|file$|path$|header$|url$|hash$|sha\d*$|digest$|ref$|arn$|"
    r"id$",
    re.IGNORECASE,
)
_SET = re.compile(
    r"[\w.-]*(?P<close>\\?[\"'])?\]?(?:\s*:\s*(?:str|string|Final)(?:\[str\])?)?"
    r"[ \t]*(?::|=|=>|,)(?:[ \t]*|\s*(?=[\"']))(?P<quote>\\?[\"'])?"
    r"(?P<value>[A-Za-z0-9+/=_!#%^&*~.\-]{12,200})(?P<end>\\?[\"'\s,;)\\]|$)",
    re.MULTILINE,
)
_NOT_HERE = (
    "npg_",
    "napi_",
    "eyJ",
    "phc_",
    "pk_",
    "test_",
    "test-",
    "ci-",
    "6LeIxAcTAAAA",
    "Eby8vdM02x",
    "1x0000000",
)
"""Beginnings of what other rules report, of public keys, and of keys that are made for tests."""
_CONTAINER = re.compile(
    r"^(?:POSTGRES|MYSQL|MARIADB|MONGO\w*|REDIS|RABBITMQ\w*|MINIO|MEILI|OPENSEARCH|ELASTIC|KEYCLOAK|PGADMIN|GRAYLOG|NEO4J)_"
)
_ENTRY = re.compile(
    r"^\s+[\"']?(?P<name>[\w.-]+)[\"']?:\s*[\"']?(?P<value>[A-Za-z0-9+/]{16,}={0,2})[\"']?\s*$", re.MULTILINE
)
_STARTS = (
    "sk_live_", "rk_live_", "sk-", "ghp_", "gho_", "ghs_", "github_pat_", "xoxb-", "xoxp-", "gsk_", "AKIA",
    "whsec_", "sbp_", "rnd_", "dop_v1_", "glpat-",
)  # fmt: skip
_BODY = re.compile(r"(?:proj-|ant-|or-v1-)?(?P<body>[A-Za-z0-9_\-]{16,200})(?!\.\.\.)")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,400}\.(?P<claims>eyJ[A-Za-z0-9_-]{8,2000})\.[A-Za-z0-9_-]{20,}")
_OWN = re.compile(r"google-services\.json$|GoogleService-Info\.plist$")
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


def tokens(text: str) -> Iterator[tuple[int, str, str]]:
    """Give Neon's passwords and API keys: where they begin, `npg` or `napi`, and the whole."""
    if "npg_" not in text and "napi_" not in text:
        return
    for match in _TOKEN.finditer(text):
        if _looks_live(match["body"]):
            yield match.start(), match["kind"], match[0]


def private_key(text: str) -> re.Match[str] | None:
    """Give the first whole private key, with its `kind`."""
    match = _KEY.search(text) if "PRIVATE KEY" in text else None
    if match and re.search(
        r"placeholder\s*[=:]|example", text[max(0, match.start() - 60) : match.start()], re.IGNORECASE
    ):
        return None
    if match and "..." in text[match.end() : match.end() + 40]:
        return None
    return match if match and len(set(match["body"])) >= 12 else None


def is_of_every_app(path: str) -> bool:
    """Tell whether a file holds keys that every copy of an app carries."""
    return bool(_OWN.search(path))


def values(path: str, text: str) -> list[tuple[int, str, str]]:
    """Give random-looking values of secrets: where they stand, the name if there is one, the value."""
    return sorted([*_assigned(path, text), *_prefixed(text), *_service_roles(text), *_encoded(path, text)])


def _looks_live(body: str) -> bool:
    varied = bool(re.search(r"[A-Z]", body)) + bool(re.search(r"[a-z]", body)) + bool(re.search(r"\d", body))
    return varied >= 2 and len(set(body.lower())) >= 6 and not is_placeholder(body)


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


def _is_of_a_container(path: str, name: str) -> bool:
    """Tell whether a value only sets up a container that compose starts on this machine."""
    file = path.rpartition("/")[2]
    return "compose" in file and file.endswith((".yml", ".yaml")) and bool(_CONTAINER.search(name))


def _whole_name(text: str, at: int, match: re.Match[str]) -> str:
    before = re.search(r"[\w-]*$", text[max(0, at - 60) : at])
    after = re.match(r"[\w-]*", match[0])
    name = (before[0] if before else "") + (after[0] if after else "")
    glued = re.search(r"(?<=[a-z0-9])[A-Z][A-Z0-9_]{3,}$", name)
    # What stands right before a name in capitals may be the end of another secret.
    return glued[0] if glued else name


def _counts(path: str, name: str, match: re.Match[str]) -> bool:
    quoted = bool(match["quote"])
    if path.endswith(_CODE) and (not quoted or match["end"].strip("\\")[:1] not in ('"', "'")):
        return False
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).replace("-", "_")
    if (
        not _NAME.search(snake)
        or _PUBLIC.search(snake)
        or match["value"].startswith(_NOT_HERE)
        or _is_of_a_container(path, name)
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


def _encoded(path: str, text: str) -> Iterator[tuple[int, str, str]]:
    """Give what a Kubernetes Secret holds in base64, which hides nothing."""
    if not path.endswith((".yml", ".yaml")) or not re.search(r"^kind:\s*Secret\b", text, re.MULTILINE):
        return
    for match in _ENTRY.finditer(text):
        try:
            said = base64.b64decode(match["value"], validate=True).decode("ascii").strip()
        except ValueError:
            continue
        name = match["name"].replace("-", "_")
        named = _NAME.search(name) and not _PUBLIC.search(name)
        if (named and is_random(said, 12)) or any(address.is_live for address in in_text(path, said)):
            yield match.start("name"), match["name"], match["value"]


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
