// Drizzle over node-postgres: the API's connection string as it is.
import { asc, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.URL });
const db = drizzle(pool);
const item = pgTable("drizzle_item", { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text() });
await db.execute(sql`create table drizzle_item (id int generated always as identity primary key, name text)`);
await db.insert(item).values([{ name: "a" }, { name: "b" }]);
const names = async () => (await db.select().from(item).orderBy(asc(item.id))).map((row) => row.name);
const before = await names();
await db
  .transaction(async (inside) => {
    await inside.insert(item).values({ name: "c" });
    inside.rollback();
  })
  .catch(() => {});
console.log(JSON.stringify({ names: before, after: await names() }));
await pool.end();
