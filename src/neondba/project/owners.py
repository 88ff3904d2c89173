"""The ORM models whose rows belong to somebody, and the column that says to whom."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from neondba.project.python import Class, PythonFile, PythonFiles
from neondba.project.python_index import walk

OWNER = frozenset(
    {"user_id", "owner_id", "owner", "userid", "user_uuid", "owner_uuid", "owner_user_id", "user_email",
     "owner_email", "tenant_id", "organization_id", "organisation_id", "org_id", "workspace_id"}
)  # fmt: skip
"""Columns that name the person or tenant a row is private to."""
MAKER = frozenset(
    {"author_id", "created_by", "created_by_id", "creator_id", "customer_id", "account_id", "sender_id",
     "patient_id", "student_id", "employee_id", "uploaded_by", "profile_id", "member_id"}
)  # fmt: skip
"""Columns that name who made a row; others may well read it."""
SHARED = re.compile(r"^(is_)?(public|published|shared|visible|visibility|shared_with|listed|featured)$")
PEOPLE = re.compile(
    r"^(User|Account|Session|Verification|Jwks|Member|Membership|Profile|RefreshToken)s?$|Member",
    re.IGNORECASE,
)
USERS = re.compile(r"^(App|DB)?_?Users?(Model|ORM|Table|DB)?$", re.IGNORECASE)
TENANT = re.compile(
    r"(account|tenant|organi[sz]ation|org|company|workspace|clinic|school|firm)(_\w+)?_(id|uuid)$"
)
"""Names for the group that a user works for, as against a role, a country or a plan."""
KEY = re.compile(r"^(\w+\.)?\w+\.(id|uuid|\w+_id)$")
HOLDER = re.compile(
    r"user|account|tenant|organi[sz]ation|\borg|compan|workspace|clinic|school|firm|profile|person|people|member|customer"
    r"|employee|patient|student|author|owner|team|group|auth|identit|client|seller|vendor|merchant|player|teacher|doctor",
    re.IGNORECASE,
)
"""Tables that a person or tenant stands in."""
USERS_KEY = re.compile(r"^(\w+\.)?(users?|accounts?)\.(id|uuid|email)$", re.IGNORECASE)


@dataclass(eq=False)
class Model:
    """An ORM class that is a table."""

    name: str
    qualified: str
    path: str
    line: int
    columns: dict[str, ast.expr | None]
    """Column names, with the value given in the class body."""
    table: ast.expr | None = None
    """The value of `__tablename__`, where it is given."""
    optional: frozenset[str] = frozenset()
    """Columns that may be empty."""
    tenants: frozenset[str] = frozenset()
    """Columns that the users' own model has too: they say whose employees may see a row."""

    @cached_property
    def owners(self) -> list[str]:
        """Columns that name the owner or maker of a row; the surest first."""
        if PEOPLE.search(self.name):
            return []
        sure = [c for c in self.columns if self._is_sure(c)]
        sure.sort(key=lambda c: c in ("owner", "owner_email", "user_email"))
        return sure + [c for c in self.columns if c in MAKER or (c not in sure and self.refers_to_users(c))]

    def _is_sure(self, column: str) -> bool:
        """Tell whether a column names a user or tenant, and no key of it points elsewhere."""
        if column.lower() not in OWNER and column not in self.tenants:
            return False
        value = self.columns[column]
        keys = [t for t in _texts(value) if KEY.match(t)] if value is not None else []
        return all(HOLDER.search(t.rpartition(".")[0]) for t in keys)

    @property
    def is_private(self) -> bool:
        """Whether a row is for its owner alone, as far as the columns tell."""
        if not self.owners or self.is_shared:
            return False
        return self.owners[0].lower() in OWNER or self.owners[0] in self.tenants

    @property
    def is_shared(self) -> bool:
        """Whether a column says that rows may be shown to others."""
        return any(SHARED.match(c) for c in self.columns)

    def refers_to_users(self, column: str) -> bool:
        """Tell whether a column is a foreign key to the users."""
        value = self.columns[column]
        return value is not None and any(USERS_KEY.match(text) for text in _texts(value))


class Owners:
    """All ORM models by qualified name."""

    plain = True

    def __init__(self, models: dict[str, Model]) -> None:
        self.models = models
        self.tenants = frozenset(
            c for m in models.values() if USERS.match(m.name) for c in m.columns if TENANT.search(c)
        )
        """Columns of the users' model that name the group a user works for."""
        for model in models.values():
            model.tenants = self.tenants
        self.owned = {name: m for name, m in models.items() if m.owners}

    @classmethod
    def gather(cls, files: PythonFiles) -> Owners:
        """Find the table classes of SQLModel and SQLAlchemy."""
        models: dict[str, Model] = {}
        for file in files.containing(
            "SQLModel",
            "__tablename__",
            "DeclarativeBase",
            "declarative_base",
            "db.Model",
            "Column(",
            "mapped_column(",
        ):
            for found in file.classes:
                if is_table(file, found) or _is_named_by_base(files, file, found):
                    qualified = f"{file.module}.{found.qualname}"
                    columns = columns_of(files, file, found)
                    models[qualified] = Model(
                        found.name, qualified, file.path, found.line, columns, _table_name(found),
                        frozenset(c for c, value in columns.items() if _may_be_empty(value)),
                    )  # fmt: skip
        return cls(models)

    def model(self, files: PythonFiles, file: PythonFile, node: ast.AST) -> Model | None:
        """Give the model that an expression names: `Task` or `models.Task`."""
        name = file.resolve(node)
        if name is None:
            return None
        if name in self.models:
            return self.models[name]
        found = files.definition(name)
        if found is not None and isinstance(found[1], Class):
            return self.models.get(f"{found[0].module}.{found[1].qualname}")
        return None


def is_table(file: PythonFile, found: Class) -> bool:
    """Tell whether a class is mapped to a table."""
    table = found.keyword("table")
    if isinstance(table, ast.Constant):
        return bool(table.value)
    if any("__tablename__" in _targets(a) for a in found.assignments):
        return True
    return any((file.resolve(base) or "").endswith("db.Model") for base in found.bases)


def _is_named_by_base(files: PythonFiles, file: PythonFile, found: Class, depth: int = 0) -> bool:
    """Tell whether a class with columns gets its table's name from a base class of the project."""
    if depth == 0 and not any(_is_column(a.value) for a in found.assignments):
        return False
    for base in found.bases if depth < 5 else ():
        origin = files.definition(file.resolve(base))
        if origin is None or not isinstance(origin[1], Class):
            continue
        if any(f.name == "__tablename__" for f in origin[1].functions):
            return True
        if _is_named_by_base(files, *origin, depth + 1):  # type: ignore[arg-type]
            return True
    return False


def _is_column(value: ast.expr | None) -> bool:
    func = value.func if isinstance(value, ast.Call) else None
    return (getattr(func, "attr", "") or getattr(func, "id", "")) in ("Column", "mapped_column")


def _table_name(found: Class) -> ast.expr | None:
    return next((a.value for a in found.assignments if "__tablename__" in _targets(a)), None)


def columns_of(
    files: PythonFiles, file: PythonFile, found: Class, depth: int = 0
) -> dict[str, ast.expr | None]:
    """Give the fields of a class with those it inherits inside the project."""
    columns: dict[str, ast.expr | None] = {}
    for base in found.bases if depth < 6 else ():
        origin = files.definition(file.resolve(base))
        if origin is not None and isinstance(origin[1], Class):
            columns |= columns_of(files, origin[0], origin[1], depth + 1)
    for node in found.assignments:
        for name in _targets(node):
            if not name.startswith("__"):
                columns[name] = node.value
    return columns


def _targets(node: ast.AST) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [t.id for t in targets if isinstance(t, ast.Name)]


def _may_be_empty(value: ast.expr | None) -> bool:
    for keyword in value.keywords if isinstance(value, ast.Call) else ():
        if isinstance(keyword.value, ast.Constant) and (keyword.arg, keyword.value.value) in (
            ("default", None),
            ("nullable", True),
        ):
            return True
    return isinstance(value, ast.Constant) and value.value is None


def _texts(node: ast.AST) -> list[str]:
    return [n.value for n in walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
