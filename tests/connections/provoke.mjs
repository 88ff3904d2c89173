// Errors that Node's drivers make, as Node prints them: {id: text}.
import { inspect } from "node:util";
import { createServer } from "node:net";
import { createRequire } from "node:module";

const given = process.env;
const load = createRequire(given.MODULES + "/");
const pg = load("pg");
const { neon, neonConfig } = load("@neondatabase/serverless");
const drizzleHttp = load("drizzle-orm/neon-http").drizzle;
const drizzlePg = load("drizzle-orm/node-postgres").drizzle;

const url = new URL(given.URL);
const settings = (more = {}) => ({
  host: url.hostname, port: Number(url.port), user: url.username, password: decodeURIComponent(url.password),
  database: url.pathname.slice(1), options: url.searchParams.get("options"),
  ssl: { rejectUnauthorized: false }, connectionTimeoutMillis: 30_000, ...more,
});
const connect = async (more) => {
  const client = new pg.Client(settings(more));
  client.on("error", () => {});
  await client.connect();
  return client;
};
const silent = createServer(() => {}).listen(0, "127.0.0.1");
await new Promise((done) => silent.once("listening", done));
const free = createServer().listen(0, "127.0.0.1");
await new Promise((done) => free.once("listening", done));
const closed = free.address().port;
await new Promise((done) => free.close(done));

const provoke = {
  "password-refused": () => connect({ password: ["not", "it"].join("") }),
  "database-missing": () => connect({ database: "nowhere" }),
  "refused-local": () => connect({ port: closed }),
  "certificate-unknown": () => connect({ ssl: true }),
  "server-without-tls": async () => {
    const plain = createServer((socket) => socket.once("data", () => socket.write("N"))).listen(0, "127.0.0.1");
    await new Promise((done) => plain.once("listening", done));
    try { await connect({ port: plain.address().port }); } finally { plain.close(); }
  },
  "insecure": () => connect({ ssl: false }),
  "password-missing": () => connect({ password: undefined }),
  "timeout-wake": () => connect({ port: silent.address().port, connectionTimeoutMillis: 150 }),
  "client-reused": async () => {
    const client = await connect();
    try { await client.connect(); } finally { await client.end(); }
  },
  "query-read-timeout": async () => {
    const client = await connect();
    try { await client.query({ text: "select pg_sleep(1)", query_timeout: 50 }); } finally { await client.end(); }
  },
  "terminated-suspended": async () => {
    const client = await connect();
    await client.query("select pg_terminate_backend(pg_backend_pid())");
  },
  "closed-suspended": async () => {
    const client = await connect();
    client.connection.stream.destroy();
    await new Promise((done) => client.once("end", done));
    await client.query("select 1");
  },
  "client-pool-full": async () => {
    const pool = new pg.Pool({ ...settings(), max: 1 });
    const client = await pool.connect();
    pool.options.connectionTimeoutMillis = 50;
    try { await pool.connect(); } finally { client.release(); await pool.end(); }
  },
  "client-pool-closed": async () => {
    const pool = new pg.Pool(settings());
    await pool.end();
    await pool.query("select 1");
  },
  "released-twice": async () => {
    const pool = new pg.Pool(settings());
    const client = await pool.connect();
    client.release();
    try { client.release(); } finally { await pool.end(); }
  },
  "table-not-made": async () => {
    const client = await connect();
    try { await drizzlePg(client).execute("select 'ECONNREFUSED' from not_made_here"); } finally { await client.end(); }
  },
  "url-unreadable": () => new pg.Client("postgresql://a:b@[half/c").connect(),
  "serverless-no-string": () => neon(undefined)`select 1`,
  "serverless-bad-string": () => neon("not a string of a database")`select 1`,
  "serverless-tag": () => neon("postgresql://a:b@ep-x.aws.neon.tech/c")("select 1"),
  "refused-local/serverless": async () => {
    neonConfig.fetchEndpoint = `http://127.0.0.1:${closed}/sql`;
    await neon("postgresql://a:b@ep-x.aws.neon.tech/c")`select 1`;
  },
  "http-no-transactions": () => drizzleHttp(neon("postgresql://a:b@ep-x.aws.neon.tech/c")).transaction(async () => {}),
};
const texts = {};
for (const [id, run] of Object.entries(provoke)) {
  try {
    await run();
    texts[id] = "nothing failed";
  } catch (error) {
    texts[id] = inspect(error);
  }
}
console.log(JSON.stringify(texts));
process.exit(0);
