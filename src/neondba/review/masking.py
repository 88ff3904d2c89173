"""Hide what must not be shown, in any text that quotes a project.

When in doubt it hides: a report that lost a word is still a report. Only what is plainly code, such as
`{password}` or `os.environ[...]`, stays.
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
_HOLE: Final = re.compile(
    r"\$?\{[^{}]*\}|\$\(\w+\)|\$\w+|%\(?\w*\)?s|\[[\w -]*\]|<[\w -]*>|\*{2,}", re.IGNORECASE
)
_CODE: Final = re.compile(
    r"(?:os|self|settings|config|process|environ|env|user|data|form|body|payload|request|req|args|cls|parsed|url)"
    r"[.(\[]|(?:str|int|bool|None|Optional|Mapped|Annotated|SecretStr|Field|String|Column|Depends|typing|string|null|"
    r"undefined|true|false)\b|import\b|from\b|await\b|getenv\b|\w+\($",
)
_ADDRESS: Final = re.compile(
    r"(?P<head>://[^\s:/@'\"`<>|\\]{0,80}:)(?P<secret>(?:(?!://)[^\s'\"`\\]){1,400})(?=@)", re.IGNORECASE
)
_TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9])(?P<head>npg_|napi_|sk[-_](?:live_|test_|proj-|ant-|or-v1-)?|rk_live_|gh[opsu]_|github_pat_|glpat-|"
    r"xox[abpr]-|hf_|gsk_|re_|whsec_|sbp_|dop_v1_|AKIA|ASIA|AIza|eyJ|SG\.)(?P<secret>[A-Za-z0-9_.\-/+=]{6,})"
)
_WORDS: Final = (
    r"(?:secret|password|passwd|passphrase|pwd|token|api_?key|private_?key|access_?key|signing_?key|encryption_?key|"
    r"auth_?key|credential|bearer)"
)
_QUOTED: Final = re.compile(
    rf"(?P<head>{_WORDS}[\w\-]*\\?[\"']?\]?\s*(?::\s*[\w.\[\]| ]+?\s*)?"
    r"(?:=>|==|!=|[:=,(]|\?\?|\|\||\bor\b)+\s*[rbuf]?\\?)"
    r"(?P<quote>[\"'`])(?P<secret>[^\n]*?)(?P<end>(?<!\\)(?P=quote)|\\(?P=quote)|$)",
    re.IGNORECASE | re.MULTILINE,
)
_PLAIN: Final = re.compile(
    rf"(?P<head>{_WORDS}[\w\-]*\s*(?:=>|[:=])\s*)(?P<secret>[^\s\"'`]{{4,}})", re.IGNORECASE
)
_SPOKEN: Final = re.compile(
    r"(?P<head>\b(?:Bearer|Basic)\s+|--(?:password|token|secret)[= ])(?P<secret>[^\s\"'`]{4,})"
)
_RANDOM: Final = re.compile(r"(?<![\w/+.])(?P<secret>[A-Za-z0-9+/=]{24,})(?![\w/])")


def masked(text: str) -> str:
    """Replace passwords in addresses, tokens, assigned secrets and random texts by `***`."""
    text = _ADDRESS.sub(_unless_hole, text)
    text = _TOKEN.sub(lambda m: m["head"] + MASK, text)
    text = _QUOTED.sub(_unless_name, text)
    text = _PLAIN.sub(_unless_code, text)
    text = _SPOKEN.sub(_unless_hole, text)
    return _RANDOM.sub(_unless_readable, text)


def _unless_hole(match: re.Match[str]) -> str:
    return match[0] if _HOLE.fullmatch(match["secret"]) else match["head"] + MASK


def _unless_name(match: re.Match[str]) -> str:
    """Keep an empty text, a hole, and a name in capitals such as the one of a variable."""
    said = match["secret"]
    if not said or _HOLE.fullmatch(said) or re.fullmatch(r"[A-Z][A-Z_]*", said):
        return match[0]
    return f"{match['head']}{match['quote']}{MASK}{match['end']}"


def _unless_code(match: re.Match[str]) -> str:
    said = match["secret"]
    if _HOLE.match(said) or _CODE.match(said) or said.startswith(MASK):
        return match[0]
    return match["head"] + MASK


def _unless_readable(match: re.Match[str]) -> str:
    said = match["secret"]
    varied = bool(re.search(r"[A-Z]", said)) + bool(re.search(r"[a-z]", said)) + bool(re.search(r"\d", said))
    longest = max((len(word) for word in re.findall(r"[a-z]+", said)), default=0)
    is_hex = len(said) >= 32 and re.fullmatch(r"[0-9a-fA-F]+", said)
    return MASK if is_hex or (varied == 3 and longest <= 8) else match[0]
