"""What stands before an entrance: routers mounted behind a middleware, Next.js middleware, layouts."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from neondba.project.isolation.judged import EntranceKind
from neondba.project.typescript.entrances import SERVER
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TESTS, TypeScriptFiles
from neondba.project.typescript.nodes import Call, Name, Node, Text, dotted
from neondba.project.typescript.relevance import Relevance
from neondba.project.typescript.ways import Way

GUARDING = re.compile(
    r"clerkMiddleware|authMiddleware|withAuth|getToken\(|getSession|auth\(|updateSession|getSessionCookie|verifyToken"
    r"|jwtVerify|createMiddlewareClient|kinde|isAuthenticated|session|NextAuth", re.IGNORECASE,
)  # fmt: skip
TURNING_AWAY = re.compile(
    r"redirect|401|403|auth\.protect|protect\(|authorized|withAuth|export \{[^}]*default"
)
MATCHER = re.compile(r"matcher\s*:\s*(\[[^\]]*\]|[\"'`][^\"'`]*[\"'`])", re.DOTALL)
TEXTS = re.compile(r"[\"'`]([^\"'`]+)[\"'`]")
LAYOUT_CHECK = re.compile(r"redirect\(|notFound\(|unauthorized\(")


class Mounts:
    """Answers what a request has passed before it reaches an entrance."""

    def __init__(self, files: TypeScriptFiles, relevance: Relevance) -> None:
        self._files = files
        self._relevance = relevance
        self._mounted: dict[str, list[tuple[TypeScriptFile, Node]]] | None = None
        self._middlewares = [
            (path.rpartition("/")[0].removesuffix("/src").removesuffix("src").rstrip("/"), files.text(path))
            for path in files.paths
            if path.rpartition("/")[2].partition(".")[0] in ("middleware", "proxy") and not TESTS.search(path)
        ]

        self.trusted = " ".join(text for _, text in self._middlewares).lower()

    def before(self, way: Way) -> list[tuple[TypeScriptFile, Node]]:
        """Give the middlewares with which the file's router is mounted elsewhere."""
        if way.shape != "server" or way.name.startswith("/api"):
            return []
        if self._mounted is None:
            self._mounted = self._find()
        return self._mounted.get(way.file.path, [])

    def _find(self) -> dict[str, list[tuple[TypeScriptFile, Node]]]:
        found: dict[str, list[tuple[TypeScriptFile, Node]]] = {}
        for file in self._files.containing(*SERVER, ".use("):
            earlier: list[tuple[int, Node, str]] = []
            for call in sorted(file.calls_of("use", "route"), key=lambda c: c.line):
                first = call.arguments[0] if call.arguments else None
                prefix = first.value.rstrip("*").rstrip("/") if isinstance(first, Text) else ""
                chain: list[Node] = [a for a in call.arguments if not isinstance(a, Text)]
                for place, argument in enumerate(chain):
                    target = self._router(file, argument)
                    if target is not None and target != file.path:
                        guards = [n for _, n, p in earlier if not p or prefix.startswith(p)]
                        found.setdefault(target, []).extend((file, n) for n in [*guards, *chain[:place]])
                    else:
                        earlier.append((call.line, argument, prefix))
        return found

    def _router(self, file: TypeScriptFile, node: Node) -> str | None:
        if (
            isinstance(node, Call)
            and node.name == "require"
            and node.arguments
            and isinstance(node.arguments[0], Text)
        ):
            return self._files.modules.find(file.path, node.arguments[0].value)
        root = dotted(node).partition(".")[0]
        imported = file.imports.get(root) if isinstance(node, Name) or "." in dotted(node) else None
        if imported is None:
            return None
        path = self._files.modules.find(file.path, imported.source)
        if path is None:
            return None
        found = self._files.resolve(file, root)
        target = found.file if found is not None else self._files.get(path)
        if target is None or not any(
            w in self._files.text(target.path) for w in (".get(", ".post(", ".use(", ".route(")
        ):
            return None
        if found is not None and not isinstance(found.node, Call):
            return None
        return target.path

    def guards(self, way: Way) -> bool:
        """Tell whether Next.js's middleware, or a layout above a page, turns strangers away."""
        if way.kind is EntranceKind.ACTION or way.kind is EntranceKind.TOOL:
            return False
        for root, text in self._middlewares:
            inside = way.file.path.startswith(f"{root}/") if root else True
            if inside and way.shape != "procedure" and _is_guarding(text) and _matches(text, way.address):
                return True
        return way.kind is EntranceKind.PAGE and self._layout_guards(way.file.path)

    def _layout_guards(self, path: str) -> bool:
        folder = path.rpartition("/")[0]
        while folder:
            for ending in ("tsx", "jsx", "ts", "js"):
                text = (
                    self._files.text(f"{folder}/layout.{ending}")
                    if f"{folder}/layout.{ending}" in self._paths
                    else ""
                )
                if text and LAYOUT_CHECK.search(text) and GUARDING.search(text):
                    return True
            folder = folder.rpartition("/")[0]
        return False

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(self._files.paths)


@lru_cache(maxsize=64)
def _is_guarding(text: str) -> bool:
    return bool(GUARDING.search(text) and TURNING_AWAY.search(text))


def _matches(text: str, address: str) -> bool:
    """Tell whether a middleware's matcher covers an address; the usual catch-all covers everything."""
    found = MATCHER.search(text)
    if found is None:
        return True
    for pattern in TEXTS.findall(found[1]):
        plain = re.sub(r"/?:\w+[*+?]?|\(\.\*\)|\*", "", pattern.partition("((?!")[0]).rstrip("/")
        left_out = pattern.partition("((?!")[2]
        if left_out and any(
            word and address.startswith(f"/{word}") for word in left_out.split(")")[0].split("|")
        ):
            continue
        if address.startswith(plain or "/"):
            return True
    return False
