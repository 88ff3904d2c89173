// @neon/sdk through a project's life; then every read of its raw layer, none of which may break.
import { createNeonClient, raw } from "@neon/sdk";
import pg from "pg";

const baseUrl = process.env.API;
const neon = createNeonClient({ apiKey: "any-thing", baseUrl, throwOnError: true, wait: { pollIntervalMs: 100 } });
const rows = async (connectionString, text) => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};
const { project, connectionString } = await neon.projects.createAndConnect({ name: "sdk", pooled: true });
const projectId = project.id;
await rows(connectionString, "create table item as select generate_series(1, 3) as n");
const main = await neon.branches.getDefault({ projectId });
const dev = await neon.branches.createAndConnect({ projectId, name: "dev" });
await rows(dev.connectionString, "alter table item add column note text; delete from item");
const branchId = dev.branch.id;
const compared = await neon.branches.compareSchema({
  projectId, branchId, databaseName: "neondb", baseBranchId: main.id,
});
await neon.branches.resetFromParent({ projectId, branchId });
const direct = await neon.postgres.connectionString({ projectId, branchId, pooled: false });
const afterReset = await rows(direct, "select count(*)::int as n from item");
await neon.branches.update({ projectId, branchId, name: "work" });
await neon.postgres.roles.create({ projectId, branchId, name: "app" });
await neon.postgres.databases.create({ projectId, branchId, name: "shop", owner_name: "app" });
const snapshot = await neon.snapshots.create({ projectId, branchId: main.id, name: "before" });
await rows(connectionString, "delete from item");
const restored = await neon.snapshots.restore({ projectId, snapshotId: snapshot.id, name: "again" });
await neon.snapshots.setSchedule({
  projectId, branchId: main.id, schedule: [{ frequency: "daily", hour: 3, retention_seconds: 86400 }],
});
const schedule = await neon.snapshots.getSchedule({ projectId, branchId: main.id });
const operations = await neon.operations.list({ projectId }).all();
const key = await neon.apiKeys.create({ keyName: "sdk", name: "sdk", key_name: "sdk" });
const missing = await neon.branches.get({ projectId, branchId: "br-none" }, { throwOnError: false });
const branches = await neon.branches.list({ projectId }).all();

const ids = { project_id: projectId, branch_id: branchId, database_name: "neondb", role_name: "neondb_owner" };
const broken = [];
for (const [name, call] of Object.entries(raw)) {
  if (typeof call !== "function" || !/^(get|list|count)/.test(name)) continue;
  const path = { ...ids, org_id: "org-local-00000000", endpoint_id: dev.endpoint.id, snapshot_id: snapshot.id };
  const { response, error } = await call({
    baseUrl, path, query: { db_name: "neondb" }, headers: { Authorization: "Bearer any" },
  });
  if (!response || response.status >= 500 || (error && !error.message)) broken.push([name, response?.status]);
}
await neon.branches.delete({ projectId, branchId });
await neon.projects.delete({ projectId });
console.log(
  JSON.stringify({
    diff: compared.diff.includes("+    note text"),
    afterReset: afterReset[0].n,
    restored: typeof (restored.branch ?? restored).id,
    schedule: schedule.schedule?.length ?? schedule.length,
    operations: operations.length > 5,
    key: typeof key.key,
    missing: missing.error.kind,
    branches: branches.map((each) => each.name).sort(),
    broken,
  }),
);
