// Prisma's generated client over its node-postgres adapter.
import { PrismaPg } from "@prisma/adapter-pg";

const { PrismaClient } = await import(`${process.env.CLIENT}/client.ts`);
const db = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.URL }) });
await db.$executeRawUnsafe("create table if not exists prisma_item (id serial primary key, name text not null)");
await db.item.deleteMany();
await db.item.createMany({ data: [{ name: "a" }, { name: "b" }] });
const names = async () => (await db.item.findMany({ orderBy: { id: "asc" } })).map((row) => row.name);
const before = await names();
await db
  .$transaction(async (inside) => {
    await inside.item.create({ data: { name: "c" } });
    throw new Error("roll back");
  })
  .catch(() => {});
console.log(JSON.stringify({ names: before, after: await names() }));
await db.$disconnect();
