"""Whose rows a request reaches: verdicts for route, action, page, procedure and tool."""

import pytest

from neondba.project.facts import Facts
from neondba.project.isolation.judged import Binding, EntranceKind, Judged
from neondba.project.tree import MemoryTree
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.owned import OwnedTables

PRISMA = """
model User {
  id   String @id
  role String
}
model Project {
  id      String @id
  ownerId String
}
model Task {
  id        String  @id
  projectId String
  project   Project @relation(fields: [projectId], references: [id])
}
model Note {
  id     String  @id
  userId String
  token  String
}
"""
HEAD = 'import { auth } from "@/auth";\nimport { prisma } from "@/lib/prisma";\n'


def judged(**texts: str) -> list[Judged]:
    files = {name.replace("__", "/"): text for name, text in texts.items()}
    tree = MemoryTree({"prisma/schema.prisma": PRISMA, **files})
    return Facts(tree).get(TypeScriptIsolation).judged


def route(body: str, **texts: str) -> list[Binding]:
    handler = HEAD + "export async function POST(req: Request, { params }) {\n" + body + "\n}"
    return [j.binding for j in judged(**{"app__api__x__[id]__route.ts": handler, **texts})]


BOUND = {
    "the owner stands in the where": """
        const session = await auth();
        return prisma.note.findFirst({ where: { id: params.id, userId: session.user.id } });""",
    "the where is a variable that is filled in a branch": """
        const { userId } = await auth();
        const where: any = { id: params.id };
        if (true) where.userId = userId;
        return prisma.note.findMany({ where });""",
    "the owner is named in a relation": """
        const session = await auth();
        return prisma.task.delete({ where: { id: params.id, project: { ownerId: session.user.id } } });""",
    "the parent was found with the caller": """
        const session = await auth();
        const { projectId } = await req.json();
        const where = { id: projectId, ownerId: session.user.id };
        const project = await prisma.project.findFirst({ where });
        if (!project) return new Response(null, { status: 404 });
        return prisma.task.findMany({ where: { projectId } });""",
    "only staff get there": """
        const session = await auth();
        if (session.user.role !== "ADMIN") return new Response(null, { status: 403 });
        return prisma.note.delete({ where: { id: params.id } });""",
}


@pytest.mark.parametrize("name", BOUND)
def test_a_statement_is_bound_when(name: str) -> None:
    assert set(route(BOUND[name])) == {Binding.BOUND}


LATER = {
    "the row is compared before it is used": """
        const session = await auth();
        const note = await prisma.note.findUnique({ where: { id: params.id } });
        if (!note || note.userId !== session.user.id) return new Response(null, { status: 404 });
        return Response.json(note);""",
    "the row's parent is compared": """
        const session = await auth();
        const task = await prisma.task.findUnique({ where: { id: params.id }, include: { project: true } });
        if (task?.project.ownerId !== session.user.id) throw new Error("Not found");
        return Response.json(task);""",
}


@pytest.mark.parametrize("name", LATER)
def test_a_statement_is_bound_later_when(name: str) -> None:
    assert route(LATER[name]) == [Binding.BOUND_LATER]


def test_a_write_needs_its_check_before_it() -> None:
    body = """
        const session = await auth();
        const note = await prisma.note.delete({ where: { id: params.id } });
        if (note.userId !== session.user.id) throw new Error();"""
    assert Binding.OPEN in route(body.replace("note.userId !== session.user.id", "!session"))


def test_what_one_branch_checked_is_not_checked_in_the_other() -> None:
    body = """
        const session = await auth();
        if (req.method === "GET") {
          const note = await prisma.note.findFirst({ where: { id: params.id, userId: session.user.id } });
          return Response.json(note);
        }
        await prisma.note.delete({ where: { id: params.id } });"""
    assert route(body) == [Binding.BOUND, Binding.OPEN]


def test_a_helper_in_another_file_may_compare() -> None:
    helper = HEAD + (
        "export async function own(id: string) {\n"
        "  const session = await auth();\n"
        "  const note = await prisma.note.findUnique({ where: { id } });\n"
        "  if (note.userId !== session.user.id) throw new Error();\n"
        "  return note;\n}"
    )
    body = "await own(params.id); return prisma.note.delete({ where: { id: params.id } });"
    handler = 'import { own } from "../../../../lib/own";\n' + HEAD
    handler += f"export async function DELETE(req, {{ params }}) {{ {body} }}"
    found = judged(**{"app__api__x__[id]__route.ts": handler, "lib__own.ts": helper})
    assert [j.binding for j in found] == [Binding.BOUND_LATER, Binding.BOUND]
    assert [step.name for step in found[0].way] == ["DELETE", "own"]


def test_an_id_of_the_client_alone_is_open() -> None:
    assert route("await auth(); return prisma.note.delete({ where: { id: params.id } });") == [Binding.OPEN]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return prisma.note.findFirst({ where: { token: params.id } });", "whoever knows the token"),
        (
            'if (req.headers.get("x") !== process.env.SECRET) throw 1; '
            "return prisma.note.delete({ where: { id: params.id } });",
            "another program calls, and proves itself by a secret of the environment",
        ),
        ("return prisma.note.count({ where: { userId: params.id } });", "only a number"),
    ],
)
def test_a_statement_is_public_by_design(body: str, why: str) -> None:
    handler = HEAD + "export async function POST(req, { params }) {" + body + "}"
    (found,) = judged(**{"app__api__x__[id]__route.ts": handler})
    assert (found.binding, found.why) == (Binding.PUBLIC, why)


def test_a_page_a_procedure_and_a_tool_are_entrances() -> None:
    found = judged(**{
        "app__n__[id]__page.tsx": HEAD
        + "export default async function Page({ params }) { const s = await auth();"
        " return <List id={(await params).id} />; }\n"
        "async function List({ id }) { await prisma.note.findUnique({ where: { id } }); return <ul />; }",
        "server__notes.ts": HEAD
        + "export const notes = createTRPCRouter({ drop: protectedProcedure.input(z.any())"
        ".mutation(({ ctx, input }) => ctx.prisma.note.delete({ where: { id: input.id } })) });",
        "ai__tools.ts": HEAD + "export const read = tool({ description: 'x', execute: async ({ userId }) => "
        "prisma.note.findMany({ where: { userId } }) });",
    })  # fmt: skip
    assert {(j.entrance.kind, j.entrance.name, j.binding) for j in found} == {
        (EntranceKind.PAGE, "page /n/[id]", Binding.OPEN),
        (EntranceKind.ROUTE, "procedure drop", Binding.OPEN),
        (EntranceKind.TOOL, "tool read", Binding.OPEN),
    }


def test_express_middlewares_and_mounts_come_before_the_handler() -> None:
    found = judged(**{
        "app.js": "const express = require('express'); const { login } = require('./login');\n"
        "const app = express(); app.use('/notes', login, require('./notes'));",
        "login.js": "exports.login = (req, res, next) => {\n"
        "  req.user = jwt.verify(req.headers.authorization, K); next(); };",
        "notes.js": "const router = require('express').Router(); const { prisma } = require('./db');\n"
        "router.get('/:id', async (req, res) => {\n"
        "  const note = await prisma.note.findUnique({ where: { id: req.params.id } });\n"
        "  if (note.userId !== req.user.id) return res.status(403).end();\n  res.json(note); });\n"
        "module.exports = router;",
    })  # fmt: skip
    assert [(j.entrance.name, j.entrance.principal, j.binding) for j in found] == [
        ("GET /:id", "jwt.verify()", Binding.BOUND_LATER)
    ]


def test_a_tokens_own_policies_bind_the_row() -> None:
    body = (
        "const db = base.$withAuth(await token()); return prisma.note.delete({ where: { id: params.id } });"
    )
    assert route(body) == [Binding.BY_POLICY]


def test_objects_that_hold_themselves_end() -> None:
    body = """
        const a: any = { id: params.id }; a.self = a;
        for (const k of Object.keys(a)) { a[k] = a; }
        const session = await auth();
        return prisma.note.findFirst({ where: { ...a, userId: session.user.id } });"""
    assert route(body) == [Binding.BOUND]


def test_a_file_that_opens_with_many_comments_is_read_at_once() -> None:
    comments = "// a line, and another /* one */\n" * 200
    found = judged(
        **{"app__x__page.tsx": comments + HEAD + "export default async () => prisma.note.findMany();"}
    )
    assert [j.binding for j in found] == [Binding.PUBLIC]


def test_imports_that_go_on_for_long_end() -> None:
    chain = {f"lib__f{n}.ts": f'export * from "./f{n + 1}";' for n in range(400)}
    page = 'import { x } from "../lib/f0";\n' + HEAD
    page += "export default async function Page({ params }) {\n"
    page += "  x(); return prisma.note.findUnique({ where: params }); }"
    assert len(judged(**{"app__page.tsx": page, **chain})) == 1


def test_a_row_belongs_to_the_parent_that_is_not_shown_to_all() -> None:
    schema = """
    model User {
      id String @id
    }
    model Product {
      id     String @id
      userId String
      user   User   @relation(fields: [userId], references: [id])
    }
    model Cart {
      id     String @id
      userId String
      user   User   @relation(fields: [userId], references: [id])
    }
    model Bag {
      id        String  @id
      productId String
      product   Product @relation(fields: [productId], references: [id])
      cartId    String
      cart      Cart    @relation(fields: [cartId], references: [id])
    }
    """
    tables = Facts(MemoryTree({"prisma/schema.prisma": schema})).get(OwnedTables)
    assert tables.by_accessor["bag"].owner == "cartId.userId"
