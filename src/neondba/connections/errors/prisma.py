"""What Prisma says itself."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_READ: Final = (Concern.VARIABLE, Concern.ADDRESS)

ENTRIES: Final = (
    Entry(
        "prisma-tls",
        "Prisma could not open TLS",
        (r"\bp1011\b", r"error opening a tls connection"),
        "The server offers no TLS, or its certificate is not accepted.",
        ("Check the host; use sslmode=require, and sslaccept=strict with a known authority.",),
        sources.PRISMA,
        concerns=_READ,
        over=("certificate-unknown",),
    ),
    Entry(
        "prisma-schema-invalid",
        "Prisma's schema or its settings are not valid",
        (
            r"\bp1012\b(?!.{0,300}environment variable)",
            r"the datasource property `?(?P<name>\w+)`? is no longer supported",
        ),
        "Prisma 7 takes url and directUrl out of schema.prisma: they live in prisma.config.ts.",
        (
            "Move them: datasource: { url: env('DIRECT_URL') } in prisma.config.ts; the client gets a "
            "driver adapter.",
        ),
        sources.PRISMA,
        concerns=_READ,
        snippet="prisma-config",
    ),
    Entry(
        "prisma-migrate-lock",
        "Prisma Migrate waits for its lock",
        (r"timed out trying to acquire a postgres advisory lock", r"\bp1002\b(?=.{0,400}advisory lock)"),
        "An advisory lock lives in a session. Through the pooler it may stay on a server connection that "
        "nobody owns; or another migration runs.",
        (
            "Run migrations over the direct host: directUrl, or datasource.url in prisma.config.ts.",
            "See who holds it: select * from pg_locks where locktype = 'advisory'; then end that session.",
        ),
        sources.PRISMA,
        concerns=_READ,
        snippet="direct-for-migrations",
        over=("prisma-slow-server",),
    ),
    Entry(
        "prisma-shadow",
        "Prisma Migrate has no shadow database",
        (
            r"\bp3014\b",
            r"\bp3006\b",
            r"could not create the shadow database",
            r"failed to apply cleanly to the shadow",
        ),
        "migrate dev makes a second database to replay migrations: the role may not, or a migration "
        "fails there.",
        ("Give it a branch of its own as shadowDatabaseUrl: neondba branch create shadow.",),
        sources.PRISMA,
        concerns=_READ,
    ),
    Entry(
        "prisma-not-empty",
        "Prisma Migrate finds tables that it did not make",
        (r"\bp3005\b", r"the database schema is not empty"),
        "The database was made by db push or by other means and has no history of migrations.",
        (
            "Make a baseline: prisma migrate diff … > 0_init/migration.sql, then prisma migrate resolve "
            "--applied 0_init.",
        ),
        sources.PRISMA,
    ),
    Entry(
        "prisma-failed-migration",
        "A migration failed before and blocks the next",
        (r"\bp3009\b", r"\bp3018\b", r"migrate found failed migrations"),
        "Prisma noted a migration as failed.",
        (
            "Repair what it left, then prisma migrate resolve --rolled-back NAME (or --applied).",
            "Next time: neondba migration rehearse.",
        ),
        sources.PRISMA,
    ),
    Entry(
        "prisma-transaction",
        "Prisma's transaction did not begin or end in time",
        (
            r"\bp2028\b",
            r"transaction api error",
            r"unable to start a transaction in the given time",
            r"transaction already closed",
            r"expired transaction",
        ),
        "maxWait is 2 s and timeout 5 s by default: less than a wake-up together with work.",
        ("prisma.$transaction(work, { maxWait: 10000, timeout: 15000 }); keep slow work outside.",),
        sources.PRISMA,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "write-conflict",
        "Two transactions wanted the same rows",
        (r"\bp2034\b", r"write conflict or a deadlock", r"deadlock detected", r"could not serialize access"),
        "One of them was ended, so that the other could go on.",
        ("Try the whole transaction again; change rows in the same order everywhere.",),
        sources.PRISMA,
    ),
    Entry(
        "prisma-protocol",
        "The client was made for Accelerate",
        (
            r"\bp6001\b",
            r"url must start with the protocol `?prisma",
        ),
        "prisma generate --no-engine, or the edge client, wants a prisma:// URL.",
        ("Run prisma generate again without --no-engine, or use the adapter for Neon.",),
        sources.PRISMA,
        concerns=_READ,
    ),
    Entry(
        "prisma-adapter",
        "Prisma 7 needs a driver adapter",
        (
            r"requires? either \W*adapter\W* or \W*accelerateurl",
            r"engine type \W*client\W* requires",
            r"prismaclient needs to be constructed with a non-empty",
        ),
        "new PrismaClient() without an adapter no longer connects.",
        ("new PrismaClient({ adapter: new PrismaPg({ connectionString }) }), or PrismaNeon.",),
        sources.PRISMA,
        concerns=(Concern.ENGINE,),
        snippet="prisma-adapter",
    ),
    Entry(
        "prisma-init",
        "Prisma could not start",
        (r"prismaclientinitializationerror",),
        "This line is Prisma's; the reason follows it, and the paste does not hold it.",
        ("Paste the whole message, with the line after 'Invalid … invocation'.",),
        sources.PRISMA,
        general=True,
    ),
)
