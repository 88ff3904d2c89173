"""Hide what must not be shown, in any text that quotes a project."""

from __future__ import annotations

import re

PASSWORD_IN_URL = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@'\"<>]*:)(?P<secret>[^\s@'\"<>]+)(?=@)", re.IGNORECASE
)
TOKEN = re.compile(
    r"\b(?P<head>npg_|napi_|sk-|ghp_|gho_|github_pat_|AKIA|eyJ)(?P<secret>[A-Za-z0-9_.\-]{6,})"
)
ASSIGNED = re.compile(
    r"(?P<head>(?:secret|password|passwd|token|api_?key|private_?key)[\w\"']*\s*[:=]\s*[\"']?)"
    r"(?P<secret>[^\s\"'{}$(),;]{6,})",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """Replace passwords in addresses, tokens and assigned secrets by `***`."""
    for pattern in (PASSWORD_IN_URL, TOKEN, ASSIGNED):
        text = pattern.sub(lambda m: m["head"] + "***", text)
    return text
