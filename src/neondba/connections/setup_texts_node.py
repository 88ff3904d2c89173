"""Texts of the files of a small beginning in TypeScript, and of the tools' configuration."""

from __future__ import annotations

from typing import Final

PRISMA_CONFIG: Final = """import "dotenv/config";
import { defineConfig, env } from "prisma/config";

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  // Migrations go past the pooler; the program itself reads DATABASE_URL.
  datasource: { url: env("DATABASE_URL_UNPOOLED") },
});
"""
PRISMA_SCHEMA: Final = """generator client {
  provider = "prisma-client"
  output   = "../generated/prisma"
}

datasource db {
  provider = "postgresql"
}

model Note {
  id        Int      @id @default(autoincrement())
  text      String
  createdAt DateTime @default(now()) @db.Timestamptz
}
"""
PRISMA_MAIN: Final = """import "dotenv/config";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "./generated/prisma/client";

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL });
const prisma = new PrismaClient({ adapter });

console.log(await prisma.$queryRaw`select current_user, current_setting('server_version')`);
await prisma.$disconnect();
"""
DRIZZLE_CONFIG: Final = """import "dotenv/config";
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./src/schema.ts",
  out: "./drizzle",
  // Migrations go past the pooler; the program itself reads DATABASE_URL.
  dbCredentials: { url: process.env.DATABASE_URL_UNPOOLED! },
});
"""
DRIZZLE_SCHEMA: Final = """import { integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const note = pgTable("note", {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  text: text().notNull(),
  createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
});
"""
DRIZZLE_MAIN: Final = """import "dotenv/config";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 5 });
const db = drizzle(pool);

console.log((await db.execute(sql`select current_user, current_setting('server_version')`)).rows);
await pool.end();
"""
NEXT_DB: Final = """import { Pool } from "pg";

const kept = globalThis as unknown as { pool?: Pool };

function made() {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 5 });
  // A connection that is lost while it is idle must not end the process.
  pool.on("error", (error) => console.error("idle connection lost:", error.message));
  return pool;
}

// One pool for the process: in development each reload would open another.
export const pool = (kept.pool ??= made());
"""
NEXT_ROUTE: Final = """import { pool } from "../../lib/db";

export const dynamic = "force-dynamic";

export async function GET() {
  const { rows } = await pool.query("select current_setting('server_version') as version");
  return Response.json({ database: rows[0].version });
}
"""
NEXT_LAYOUT: Final = """export default function Layout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
"""
NEXT_PAGE: Final = """export default function Page() {
  return <a href="/health">health</a>;
}
"""
