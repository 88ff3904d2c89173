import pg from "pg"; import { drizzle } from "drizzle-orm/node-postgres"; import { migrate } from "drizzle-orm/node-postgres/migrator";
const pool = new pg.Pool({ host: process.argv[2], database: process.argv[3], user: process.argv[4] });
const before = (await pool.query("select to_regclass('drizzle.__drizzle_migrations') is not null as there")).rows[0].there;
await migrate(drizzle(pool), { migrationsFolder: process.argv[5] });
const rows = (await pool.query("select hash, created_at from drizzle.__drizzle_migrations order by id")).rows;
console.log(JSON.stringify({ before, rows: rows.length, hashes: rows.map(r => r.hash.slice(0, 8)) })); await pool.end();
