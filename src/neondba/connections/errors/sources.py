"""Where the facts come from, and of what date."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors.entry import Source

NEON_ERRORS: Final = Source("Neon docs, connection errors", "2026-02-06")
NEON_POOLING: Final = Source("Neon docs, connection pooling", "2026-02-06")
NEON_COMPUTES: Final = Source("Neon docs, computes", "2026-08-26")
NEON_PLANS: Final = Source("Neon docs, plans", "2026-08-27")
NEON_ROLES: Final = Source("Neon docs, roles (mirror without a date)", "about 2025/26")
NEON_LATENCY: Final = Source("Neon docs, connection latency (mirror without a date)", "about 2025/26")
NEON_PRISMA: Final = Source("Neon docs, Prisma guide", "2025, before Prisma 7")
NEON_SQLALCHEMY: Final = Source("Neon docs, SQLAlchemy guide (mirror without a date)", "about 2025/26")
NEON_PROXY: Final = Source("neondatabase/neon at 6a35a3e9, proxy", "2026-03-25")
NEON_STORAGE: Final = Source("neondatabase/neon at 6a35a3e9, compute", "2026-03-25")
NEON_API: Final = Source("Neon API, OpenAPI document 2.7.3", "2026-07-13")
SERVERLESS: Final = Source("@neondatabase/serverless 1.2.0", "2026-10-01")
POSTGRES: Final = Source("PostgreSQL 18.6 and its libpq", "2026-11-22, as run here")
PSYCOPG: Final = Source("psycopg 3.3.9 and psycopg_pool 3.3.3", "2026-11-22, as run here")
PSYCOPG2: Final = Source("psycopg2 2.9.13", "2026-11-22, as run here")
ASYNCPG: Final = Source("asyncpg 0.32.0", "2026-11-22, as run here")
SQLALCHEMY: Final = Source("SQLAlchemy 2.1.9", "2026-11-22, as run here")
NODE_POSTGRES: Final = Source("pg 8.23.1", "2026-11-22, as run here")
PRISMA: Final = Source("Prisma error reference", "not dated; general knowledge")
DRIZZLE: Final = Source("drizzle-orm 0.45.4", "2026-11-22, as read here")
GO: Final = Source("jackc/pgx and lib/pq, source of a stored version", "not dated; not run here")
NODE: Final = Source("Node.js, net and tls", "20; not dated")
GENERAL: Final = Source("general knowledge, no page of Neon read", "not dated")
