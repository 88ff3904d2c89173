"""What node-postgres, the serverless driver and Drizzle say themselves."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_BOTH: Final = (Concern.ADDRESS, Concern.ENGINE)

ENTRIES: Final = (
    Entry(
        "serverless-no-string",
        "neon() was given no connection string",
        (
            r"no database connection string was provided to `?neon\(\)",
            r"wrong url scheme or missing user, host or database in connection parameters",
        ),
        "The variable is empty when the module is loaded: at build time, or where it is not set.",
        ("Set DATABASE_URL there; call neon() inside the function where the build has no variables.",),
        sources.SERVERLESS,
        concerns=(Concern.VARIABLE, Concern.ENGINE),
        snippet="read-variable",
    ),
    Entry(
        "serverless-bad-string",
        "neon() was given a string that is no URL of a database",
        (
            r"connection string (?:provided to|format for) `?neon\(\)`? (?:is not a valid url|should be)",
            r"database connection string format for `?neon",
        ),
        "It wants postgresql://user:password@host.tld/dbname?option=value, whole.",
        ("Copy the string again, without psql, quotes or blanks around it.",),
        sources.SERVERLESS,
        concerns=_BOTH,
    ),
    Entry(
        "serverless-fetch",
        "The serverless driver's HTTP request did not get through",
        (
            r"error connecting to database: (?:typeerror: )?fetch failed",
            r"neondberror: error connecting to database",
        ),
        "The request to https://HOST/sql failed: no network, DNS, a proxy, or a host that is not Neon's.",
        (
            "Look at the cause below it (error.sourceError).",
            "In Next.js and Node behind a proxy: configure fetch.",
            "Against the local Neon: set neonConfig.fetchEndpoint as neondba local doctor shows.",
        ),
        sources.SERVERLESS,
        concerns=_BOTH,
        follows=True,
    ),
    Entry(
        "serverless-tag",
        "neon() is called like a function",
        (r"this function can now be called only as a tagged-template",),
        'Since 1.0, sql("…") is refused: it invites injection.',
        ("Write sql`select … ${value}`, or sql.query(text, values).",),
        sources.SERVERLESS,
    ),
    Entry(
        "serverless-websocket",
        "The runtime has no WebSocket for the Pool",
        (
            r"all attempts to open a websocket",
            r"errorevent \{ type: 'error', defaultprevented",
            r"websocket is not defined",
            r"no websocket proxy is configured",
            r"websocket constructor",
        ),
        "Pool and Client of the serverless driver speak over WebSocket; Node before 22 has none.",
        ("neonConfig.webSocketConstructor = ws, with the ws package; or use neon(), which speaks HTTP.",),
        sources.SERVERLESS,
        concerns=(Concern.ENGINE,),
        snippet="websocket",
    ),
    Entry(
        "http-no-transactions",
        "Drizzle's neon-http has no interactive transactions",
        (r"no transactions support in neon-http driver",),
        "One HTTP request carries one statement, or one batch.",
        ("Use db.batch([…]), or drizzle-orm/neon-serverless with a Pool for db.transaction().",),
        sources.DRIZZLE,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "drizzle-query",
        "Drizzle reports a failed statement",
        (r"drizzlequeryerror", r"failed query:"),
        "This line is Drizzle's; the reason is the cause below it, which the paste does not hold.",
        ("Print error.cause, and explain that text.",),
        sources.DRIZZLE,
        general=True,
    ),
    Entry(
        "drizzle-kit-settings",
        "drizzle-kit has no connection string",
        (
            r"please provide required params for postgres",
            r"either connection \W*url\W* or \W*host\W*",
            r"url: ''|url: undefined",
        ),
        "drizzle.config.ts reads a variable that is not set: drizzle-kit loads .env only, not .env.local.",
        (
            "Load the file at the top of drizzle.config.ts: import { config } from 'dotenv'; "
            "config({ path: '.env.local' }).",
        ),
        sources.DRIZZLE,
        concerns=(Concern.VARIABLE,),
    ),
    Entry(
        "drizzle-kit-driver",
        "drizzle-kit finds no driver",
        (
            r"to connect to postgres database - please install either of",
            r"please install either 'pg'",
            r"cannot find (?:package|module) '(?P<name>pg|postgres|@neondatabase/serverless)'",
        ),
        "No PostgreSQL driver is installed beside drizzle-kit.",
        ("npm install pg (for tools) or @neondatabase/serverless.",),
        sources.DRIZZLE,
    ),
    Entry(
        "edge-runtime",
        "The edge runtime has no TCP",
        (
            r"edge runtime does not support node\.js '(?P<name>net|tls|dns|fs|crypto|stream)' module",
            r"can't resolve '(?P<name>net|tls|dns|pg-native)'",
            r"cannot find module '?(?:pg-)?cloudflare:sockets",
        ),
        "node-postgres needs sockets; edge functions and the browser have none.",
        ("Use @neondatabase/serverless there, or give the route export const runtime = 'nodejs'.",),
        sources.GENERAL,
        concerns=(Concern.ENGINE,),
        snippet="serverless-driver",
    ),
    Entry(
        "client-reused",
        "A client was connected twice",
        (r"client has already been connected\. you cannot reuse a client",),
        "pg.Client connects once; after end() or an error a new one is needed.",
        ("Use a Pool, or make a new Client.",),
        sources.NODE_POSTGRES,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "released-twice",
        "A client was given back twice",
        (r"release called on client which has already been released",),
        "Both the code and its finally block call release().",
        ("Release in finally only.",),
        sources.NODE_POSTGRES,
    ),
    Entry(
        "query-read-timeout",
        "node-postgres gave up waiting for the answer",
        (r"query read timeout",),
        "query_timeout of the client passed; the server may still be at work.",
        ("Set statement_timeout for the role instead (alter role … set): the server stops then.",),
        sources.NODE_POSTGRES,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "serverless-pool-across-requests",
        "A connection was used in another request than its own",
        (r"cannot perform i/o on behalf of a different request",),
        "Workers bind sockets to the request that opened them; a global Pool lives longer.",
        ("Make Pool or Client inside the handler, and end it there; or use neon() over HTTP.",),
        sources.GENERAL,
        concerns=(Concern.ENGINE,),
    ),
)
