from __future__ import annotations

import ast
from contextlib import suppress
from pathlib import Path

import neondba
from neondba.project.python import Class, Function, PythonFiles
from neondba.project.python_index import walk
from neondba.project.tree import FolderTree, MemoryTree


def gathered(**files: str) -> PythonFiles:
    """Gather files whose paths are written with `__` for `/` and `PACKAGE` for an `__init__`."""
    named = {k.replace("__", "/").replace("PACKAGE", "__init__"): v for k, v in files.items()}
    return PythonFiles.gather(MemoryTree({f"{k}.py": v for k, v in named.items()}))


def called_names(files: PythonFiles, path: str) -> list[str | None]:
    return [files[path].resolve(call.node.func) for call in files[path].calls]


def test_names_resolve_through_imports_of_the_project_and_of_others() -> None:
    files = gathered(
        backend__app__models="class Task: ...",
        backend__app__routes__tasks=(
            "from sqlmodel import select as choose\nimport sqlalchemy as sa\nimport os.path\n"
            "from ..models import Task\nchoose(1)\nsa.text(2)\nos.path.join()\nTask()\nprint()\n"
        ),
    )
    assert called_names(files, "backend/app/routes/tasks.py") == [
        "sqlmodel.select",
        "sqlalchemy.text",
        "os.path.join",
        "backend.app.models.Task",
        "print",
    ]


def test_absolute_imports_find_the_module_from_the_folder_that_is_run() -> None:
    files = gathered(
        api__src__app__db="engine = 1",
        api__src__app__main="from app.db import engine\nfrom app import db\nf(engine, db)",
        api__tests__test_main="from src.app.main import app\napp()",
    )
    main = files["api/src/app/main.py"]
    assert main.imports == {"engine": "api.src.app.db.engine", "db": "api.src.app.db"}
    assert files["api/tests/test_main.py"].imports["app"] == "api.src.app.main.app"


def test_a_module_beside_the_importer_does_not_hide_an_installed_one_inside_a_package() -> None:
    files = gathered(app__PACKAGE="", app__jwt="", app__auth="import jwt\njwt.decode()")
    assert called_names(files, "app/auth.py") == ["jwt.decode"]


def test_a_definition_is_found_through_re_exports_and_stars() -> None:
    files = gathered(
        app__models__PACKAGE="from .task import Task\nfrom .user import *\n",
        app__models__task="class Task:\n    def own(self): ...\n",
        app__models__user="class User: ...\nlimit = 3\n",
        app__main="from app.models import Task, User, limit\n",
    )
    main = files["app/main.py"]
    task = files.definition(main.resolve(ast.parse("Task.own", mode="eval").body))
    assert task is not None
    assert isinstance(task[1], Function)
    assert task[1].qualname == "Task.own"
    user = files.definition(main.imports["User"])
    assert user is not None
    assert isinstance(user[1], Class)
    limit = files.definition("app.models.user.limit")
    assert limit is not None
    assert isinstance(limit[1], ast.Constant)
    assert files.definition("app.models.Missing") is None


def test_a_ring_of_imports_ends() -> None:
    files = gathered(a="from b import x\n", b="from a import x\n")
    assert files.definition("a.x") is None


def test_the_index_tells_who_calls_what_and_where() -> None:
    files = gathered(
        m=(
            "@app.get('/')\nasync def outer(a, *, b: int = 2):\n    def inner():\n        deep()\n"
            "    return shallow()\n"
            "class C(Base, table=True):\n    x: int = field()\n    def m(self):\n        self.x()\n"
        )
    )
    file = files["m.py"]
    assert [f.qualname for f in file.functions] == ["outer", "outer.inner", "C.m"]
    outer, inner, method = file.functions
    assert outer.is_async
    assert [(p.name, p.default is not None) for p in outer.parameters] == [("a", False), ("b", True)]
    assert inner.parent is outer
    assert method.owner is file.classes[0]
    assert file.classes[0].keyword("table") is not None
    places = {ast.unparse(c.node.func): c.function.qualname if c.function else None for c in file.calls}
    assert places == {
        "app.get": None, "shallow": "outer", "deep": "outer.inner", "field": None, "self.x": "C.m"
    }  # fmt: skip


def test_the_index_leaves_out_no_call_of_any_kind_of_statement() -> None:
    text = (
        "with a() as x, b():\n    pass\ntry:\n    c()\nexcept d():\n    e()\nelse:\n    f()\nfinally:\n"
        "    g()\n"
        "match h():\n    case K(z=1) if i():\n        j()\nk = [l() for m in n() if o()]\n"
        "p = lambda q=r(): s()\n"
        "del t()[0]\nassert u(), v()\nx[w():y()] = f'{z():{aa()}}'\nfor bb in cc():\n    dd()\nelse:\n"
        "    ee()\n"
        "(ff := gg())\n@hh()\nclass X(ii(), metaclass=jj()): pass\n"
        "def kk(ll: mm() = nn()) -> oo(): yield pp()\n"
        "raise qq() from rr()\nwhile ss(): tt()\nuu = {**vv(), ww(): xx()}\n"
        "yy[zz()]: int = ab() if ac() else ad()\n"
    )
    wanted = sorted(ast.unparse(n.func) for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call))
    assert sorted(ast.unparse(c.node.func) for c in gathered(m=text)["m.py"].calls) == wanted


def test_encodings_marks_and_binary_files_are_survived(tmp_path) -> None:
    (tmp_path / "bom.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    (tmp_path / "japan.py").write_bytes("# -*- coding: shift_jis -*-\nx = '表'\n".encode("shift_jis"))
    (tmp_path / "feed.py").write_bytes(b"x = 1\n\x0c\ny = 2\r\n")
    (tmp_path / "binary.py").write_bytes(b"\0\1\2")
    files = PythonFiles.gather(FolderTree(tmp_path))
    assert [u.path for u in files.unparsed] == ["binary.py"]
    assert files["japan.py"].index.constants[0].value == "表"
    assert files["feed.py"].index.module.assignments[1].lineno == 3


def test_our_walk_gives_what_that_of_python_gives() -> None:
    passed_by = (ast.Load, ast.Store, ast.Del)
    for file in [Path(ast.__file__), Path(__file__), *Path(neondba.__file__).parent.glob("project/*.py")]:
        tree = ast.parse(file.read_text())
        assert walk(tree) == [node for node in ast.walk(tree) if not isinstance(node, passed_by)]
    for text in (
        "match x:\n case None | {'a': [b, *_], **rest} if y: pass",
        "def f[T: int = 1](*, a, b=2): ...",
    ):
        with suppress(SyntaxError):
            tree = ast.parse(text)
            assert walk(tree) == [node for node in ast.walk(tree) if not isinstance(node, passed_by)]
