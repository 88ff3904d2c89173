// node-postgres with a certificate check, channel binding and a wrong password.
import pg from "pg";

const url = new URL(process.env.URL);
const options = url.searchParams.get("options") ?? undefined;
const settings = (password) => ({
  host: url.hostname,
  port: Number(url.port),
  user: url.username,
  password,
  database: url.pathname.slice(1),
  options,
  ssl: true, // NODE_EXTRA_CA_CERTS names the local authority.
  enableChannelBinding: true,
});
const client = new pg.Client(settings(decodeURIComponent(url.password)));
await client.connect();
const { rows } = await client.query("select current_user as who, current_database() as base");
const sum = await client.query("select sum(n)::int as sum from unnest($1::int[]) n", [[1, 2, 3]]);
const authorized = client.connection.stream.authorized;
await client.end();
let wrong;
try {
  await new pg.Client(settings("not it")).connect();
} catch (error) {
  wrong = error.code;
}
console.log(JSON.stringify({ ...rows[0], sum: sum.rows[0].sum, wrong, authorized }));
