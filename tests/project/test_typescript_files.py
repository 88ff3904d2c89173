"""TypeScript files: syntax into nodes, names across files, and files that are broken."""

from neondba.project.tree import MemoryTree
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Class, Function, Object, Text, dotted, walk


def files(**texts: str) -> TypeScriptFiles:
    return TypeScriptFiles(MemoryTree({name.replace("__", "/"): text for name, text in texts.items()}))


def read(text: str, path: str = "a.ts") -> TypeScriptFiles:
    return TypeScriptFiles(MemoryTree({path: text}))


def test_a_call_is_named_by_the_chain_of_its_callee() -> None:
    file = read("const rows = await db.select().from(tasks).where(eq(tasks.id, id))!;").get("a.ts")
    assert file is not None
    assert {c.name for c in file.calls} == {"db.select", "db.select.from", "db.select.from.where", "eq"}
    assert next(c for c in file.calls if c.name.endswith("where")).awaited


def test_a_call_in_a_chain_stands_at_the_line_of_its_own_name() -> None:
    file = read("db\n  .select()\n  .from(tasks)\n  .where(x);").get("a.ts")
    assert file is not None
    assert {c.name: c.line for c in file.calls}["db.select.from.where"] == 4


def test_options_are_reached_by_their_keys() -> None:
    file = read('new Pool({ ssl: { "rejectUnauthorized": false }, ...rest });').get("a.ts")
    assert file is not None
    (call,) = file.calls_of("Pool")
    options = call.arguments[0]
    assert call.form == "new"
    assert isinstance(options, Object)
    assert options.get("ssl", "rejectUnauthorized") is not None
    assert options.get("ssl", "ca") is None
    assert [p.spread for p in options.properties] == [False, True]


def test_tags_elements_and_decorators_are_calls() -> None:
    text = """@Controller('x') export class A {
        @Get(':id') one(@Param('id') id: string) { return sql`a ${id}`; }
    }"""
    file = read(text).get("a.ts")
    page = read("export default () => <List items={a} {...b}>{c.d()}</List>;", "a.tsx").get("a.tsx")
    assert file is not None
    assert page is not None
    assert {(c.name, c.form) for c in file.calls} == {
        ("Controller", "call"), ("Get", "call"), ("Param", "call"), ("sql", "tag"),
    }  # fmt: skip
    assert ("List", "jsx") in {(c.name, c.form) for c in page.calls}
    (made,) = file.classes
    assert isinstance(made, Class)
    assert [dotted(d) for d in made.decorators] == ["Controller"]
    assert made.methods["one"].parameters[0].type == "string"


def test_a_name_is_followed_through_aliases_packages_index_files_and_re_exports() -> None:
    found = files(**{
        "tsconfig.json": '{ "compilerOptions": { // comment\n "paths": { "@/*": ["./src/*"], }, } }',
        "packages__db__package.json": '{ "name": "@acme/db", "exports": { ".": "./src/index.ts" } }',
        "packages__db__src__index.ts": "export * from './client'; \n"
        "export { tasks as jobs } from './schema.js';",
        "packages__db__src__client.ts": "export const db = new PrismaClient();",
        "packages__db__src__schema.ts": "export const tasks = pgTable('tasks', {});",
        "src__lib__index.ts": "export { db as default, jobs } from '@acme/db';",
        "src__app.ts": "import db, { jobs } from '@/lib'; import { z } from 'zod';",
    })  # fmt: skip
    app = found.get("src/app.ts")
    assert app is not None
    for name, path in (("db", "packages/db/src/client.ts"), ("jobs", "packages/db/src/schema.ts")):
        target = found.resolve(app, name)
        assert target is not None
        assert target.file.path == path
        assert isinstance(target.node, Call)
    assert found.resolve(app, "z") is None
    assert found.source_of(app, "z") == "zod"


def test_common_js_exports_and_requires_are_names_too() -> None:
    found = files(
        **{
            "a.js": "const { one, two: deux } = require('./b'); const b = require('./b');",
            "b.js": "exports.one = () => 1; module.exports.two = function () { return 2; };",
        }
    )
    file = found.get("a.js")
    assert file is not None
    one, two = found.resolve(file, "one"), found.resolve(file, "deux")
    assert one is not None
    assert isinstance(one.node, Function)
    assert two is None or isinstance(two.node, Function)


def test_imports_in_a_circle_end() -> None:
    found = files(
        **{"a.ts": "export * from './b';", "b.ts": "export * from './a';", "c.ts": "import { x } from './a';"}
    )
    file = found.get("c.ts")
    assert file is not None
    assert found.resolve(file, "x") is None


def test_directives_are_told_from_other_strings() -> None:
    found = files(
        **{"a.ts": '// hello\n"use server";\nexport async function f() {}', "b.ts": 'x("use server");'}
    )
    assert [f.directive for f in (found.get("a.ts"), found.get("b.ts")) if f] == ["use server", ""]


def test_only_files_with_the_words_are_read() -> None:
    found = files(**{"a.ts": "new Pool()", "b.ts": "new Client()", "a.test.ts": "new Pool()"})
    assert [f.path for f in found.containing("Pool")] == ["a.ts"]
    assert [f.path for f in found.containing("Pool", tests=True)] == ["a.test.ts", "a.ts"]


def test_a_merge_conflict_is_reported_and_its_functions_are_marked() -> None:
    found = read("export function f() {\n<<<<<<< HEAD\n  a(\n=======\n  b(;\n>>>>>>> x\n}\nfunction g() {}")
    file = found.get("a.ts")
    assert file is not None
    assert [(u.line, u.reason) for u in found.unparsed] == [(2, "a merge conflict was left in it")]
    assert any(f.broken for f in file.functions if f.name == "f")


def test_an_ampersand_in_the_text_of_a_page_is_no_fault() -> None:
    found = read("export default () => <p>Copy & Share</p>;", "a.tsx")
    assert found.get("a.tsx") is not None
    assert found.unparsed == []


def test_a_file_nested_too_deeply_is_reported() -> None:
    found = read("const a = " + "[\n" * 3000 + "]\n" * 3000 + ";")
    assert found.get("a.ts") is None
    assert [u.reason for u in found.unparsed] == ["nested too deeply to be followed"]


def test_bundles_are_not_read() -> None:
    assert read("x=" + "1+" * 5000 + "1").get("a.ts") is None
    assert files(**{"dist__a.js": "a()", "a.min.js": "a()", "a.d.ts": "let a", "b.ts": "b()"}).paths == [
        "b.ts"
    ]


def test_everything_inside_a_node_is_walked() -> None:
    file = read("if (a) { for (const b of c) { try { throw `x ${d('e')}`; } catch { } } }").get("a.ts")
    assert file is not None
    assert [n.value for n in walk(file.body[0]) if isinstance(n, Text)] == ["e"]
