"""A password or a token that opens an account is written to the log.

Logs are kept for months, copied to other services and read by people who may not sign in as the user. A
password in one of them is out, here and wherever else its owner uses it.

## Instead

```javascript bad path=src/register.js
import jwt from "jsonwebtoken";

export const register = async (req, res) => {
  const { name, email, password } = req.body;
  console.log("Received", { name, email, password }); // <- finding
  const token = jwt.sign({ email }, process.env.JWT_SECRET);
  res.json({ token });
};
```
```python bad path=app/auth.py
import logging

logger = logging.getLogger(__name__)

def login(email: str, password: str) -> None:
    logger.info(f"Sign-in of {email} with {password}")  # <- finding
```

```javascript good path=src/register.js
import jwt from "jsonwebtoken";

export const register = async (req, res) => {
  const { name, email, password } = req.body;
  console.log("Received", { name, email });
  const token = jwt.sign({ email }, process.env.JWT_SECRET);
  res.json({ token });
};
```
```python good path=app/auth.py
import logging

logger = logging.getLogger(__name__)

def login(email: str, password: str) -> None:
    logger.info("Sign-in of %s", email)
```

## When it does not matter

Only the word is written, or whether there is one at all; a model's tokens open nothing; a script shows its
user the password it made:

```javascript good path=src/login.js
import jwt from "jsonwebtoken";

export const login = async (req, res) => {
  const { email, password } = req.body;
  const token = jwt.sign({ email }, process.env.JWT_SECRET);
  console.log("Missing e-mail or password", { hasPassword: !!password, token: token ? "set" : "none" });
  console.log("Token", mask(token), token.length);
  res.json({ token });
};
```
```javascript good path=src/stream.js
export function show(stream) {
  for (const token of stream) console.log(token);
}
```
```python good path=scripts/make_user.py
def make(email: str, password: str) -> None:
    print(f"{email}: {password}")
```
```python good path=app/stream.py
def show(tokens: list[str]) -> None:
    for token in tokens:
        print(token)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_script, is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.typescript import nodes as script
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

LOGS = re.compile(
    r"^(?:console|logger|log|logging|winston|pino)\.(?:\w+\.)?(?:log|info|debug|warn\w*|error)$"
)
MAY_LOG = re.compile(
    r"\b(?:print|(?:console|log(?:ger|ging)?|winston|pino)\.[\w.]+)\([^;]{0,200}?(?:[Pp]assw|[Tt]oken|[Jj]wt)"
)
"""What a file has to have in it to be read."""
PASSWORD = re.compile(r"^(?:new|old|current|plain|user|raw|confirm)?_?(?:password|passwd)$", re.IGNORECASE)
TOKEN = re.compile(r"^(?:access|refresh|reset|auth|jwt|session|id)?_?(?:token|jwt)$", re.IGNORECASE)
SIGNS = re.compile(
    r"jsonwebtoken|jwt\.(?:sign|encode)|\bjose\b|create_access_token|createSession|reset_?token",
    re.IGNORECASE,
)


@rule("NDB516", Category.AUTH, Severity.HIGH)
def check(scripts: TypeScriptFiles, files: PythonFiles) -> Iterator[Finding]:
    """Look at what servers write to their logs."""
    for path in scripts.paths:
        if is_test(path) or is_script(path) or "seed" in path.lower() or path.endswith((".tsx", ".jsx")):
            continue
        text = scripts.text(path)
        if MAY_LOG.search(text):
            file = scripts.get(path)
            if file is not None and file.directive != "use client" and _is_server(text):
                yield from _in_script(file, text)
    for module in files.containing("password", "passwd", "token"):
        by_hand = is_test(module.path) or is_script(module.path) or "__main__" in module.text
        if not by_hand and MAY_LOG.search(module.text):
            yield from _in_python(module)


def _is_server(text: str) -> bool:
    """Tell whether a file answers requests or signs users in, and does not run in a browser."""
    browser = re.search(r"localStorage|\bwindow\.|\bdocument\.|useState|use-?client", text)
    return browser is None


def _in_script(file: TypeScriptFile, text: str) -> Iterator[Finding]:
    signs = bool(SIGNS.search(text))
    for call in file.calls:
        if LOGS.match(call.name):
            name = next((n for a in call.arguments if (n := _shown(a, signs=signs))), None)
            if name is not None:
                yield _finding(file.path, call.line, name)


def _shown(node: script.Node, *, signs: bool) -> str | None:
    """Give the name of a secret whose value stands in an argument as it is."""
    if isinstance(node, script.Name | script.Member):
        return node.name if _opens(node.name, signs=signs) else None
    parts: list[script.Node] = []
    if isinstance(node, script.Object):
        parts = [p.value for p in node.properties]
    elif isinstance(node, script.Template):
        parts = node.holes
    elif isinstance(node, script.Binary) and node.operator == "+":
        parts = [node.left, node.right]
    return next((n for part in parts if (n := _shown(part, signs=signs))), None)


def _opens(name: str, *, signs: bool) -> bool:
    return bool(PASSWORD.match(name) or (signs and TOKEN.match(name)))


def _in_python(file: PythonFile) -> Iterator[Finding]:
    signs = bool(SIGNS.search(file.text))
    for call in file.calls:
        written = ast.unparse(call.node.func)
        if call.function is not None and (written == "print" or LOGS.match(written)):
            name = next((n for a in call.node.args if (n := _written(a, signs=signs))), None)
            if name is not None:
                yield _finding(file.path, call.node.lineno, name)


def _written(node: ast.expr, *, signs: bool) -> str | None:
    """Give the name of a secret that an argument shows, inside an f-string, too."""
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        return name if _opens(name, signs=signs) else None
    if isinstance(node, ast.JoinedStr):
        holes = [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
        return next((n for hole in holes if (n := _written(hole, signs=signs))), None)
    return None


def _finding(path: str, line: int, name: str) -> Finding:
    is_password = bool(PASSWORD.match(name))
    effect = "knows that user's password" if is_password else "can act as that user while it lives"
    return Finding(
        path,
        line,
        f"{name} is written to the log as it is: whoever reads the log, here or in a copy, {effect}.",
        steps=(
            f"Take {name} out of the message; the user's id is enough.",
            "Delete it from the logs that are kept already.",
        ),
        severity=Severity.HIGH if is_password else Severity.MEDIUM,
        masked=True,
    )
