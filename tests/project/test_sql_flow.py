from __future__ import annotations

import pytest

from neondba.project.facts import Facts
from neondba.project.sql_text import SqlTexts
from neondba.project.tree import MemoryTree


def flowing(body: str, parameters: str = "session, a: str, b: str") -> list[str]:
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    text = f"from sqlalchemy import text\nNAMES = {{'x': 'y'}}\ndef f({parameters}):\n{lines}\n"
    texts = Facts(MemoryTree({"m.py": text})).get(SqlTexts).texts
    return sorted({flow.parameter for t in texts for flow in t.flows if flow.line})


@pytest.mark.parametrize(
    "body",
    [
        "session.execute(text(f\"select 1 from t where x = '{a}'\"))",
        "session.execute(text('select 1 from t where x = ' + a))",
        "session.execute('select 1 from t where x = %s' % a)",
        "session.execute(text('select 1 from t where x = {}'.format(a)))",
        "q = 'select 1 from t'\nq += f' where x = {a}'\nsession.execute(q)",
        "parts = []\nparts.append(f'x = {a}')\n"
        "session.execute(text('select 1 from t where ' + ' and '.join(parts)))",
        "for one in a.split(','):\n    pass\nsession.execute(text(f'select 1 from t where x = {a.strip()}'))",
        "session.execute(text(f\"select 1 from t where x in ({','.join(str(i) for i in a)})\"))",
    ],
)
def test_a_parameter_is_followed_into_the_text(body: str) -> None:
    assert flowing(body) == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        "session.execute(text('select 1 from t where x = :a'), {'a': a})",
        "session.execute(text(f'select 1 from t limit {int(a)}'))",
        "session.execute(text(f'select 1 from t order by {NAMES[a]}'))",
        "if a not in NAMES:\n    raise ValueError\nsession.execute(text(f'select 1 from t order by {a}'))",
        "marks = ', '.join(['%s'] * len(a))\nsession.execute(f'select 1 from t where x in ({marks})', a)",
        "names = ', '.join(f'{k} = :{k}' for k in NAMES)\nsession.execute(text(f'update t set {names}'))",
        "print(f'select {a} from the list')",
    ],
)
def test_bound_checked_and_counted_values_do_not_become_text(body: str) -> None:
    assert flowing(body) == []


def test_numbers_and_enumerations_are_harmless_by_type() -> None:
    body = "session.execute(text(f'select 1 from t limit {a} offset {b}'))"
    assert flowing(body, "session, a: int, b: 'int' = 0") in (["b"], [])
    assert flowing("session.execute(text(f'select 1 from t limit {a}'))", "session, a: int | None") == []
