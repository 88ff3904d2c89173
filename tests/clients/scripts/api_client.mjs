// @neondatabase/api-client, whose methods carry the operations' names.
import { createApiClient } from "@neondatabase/api-client";

const api = createApiClient({ apiKey: "any-thing", baseURL: process.env.API });
const { data: made } = await api.createProject({ project: { name: "api-client" } });
const id = made.project.id;
const ready = async () => {
  for (;;) {
    const { data } = await api.listProjectOperations({ projectId: id });
    if (data.operations.every((each) => ["finished", "skipped"].includes(each.status))) return;
    await new Promise((done) => setTimeout(done, 50));
  }
};
await ready();
const { data: branch } = await api.createProjectBranch(id, {
  branch: { name: "dev" }, endpoints: [{ type: "read_write" }],
});
await ready();
const { data: uri } = await api.getConnectionUri({
  projectId: id, branch_id: branch.branch.id, database_name: "neondb", role_name: "neondb_owner", pooled: true,
});
const { data: listed } = await api.listProjectBranches({ projectId: id });
const { data: schema } = await api.getProjectBranchSchema({ projectId: id, branchId: branch.branch.id, db_name: "neondb" });
const { data: me } = await api.getCurrentUserInfo();
const wrong = await api.getProject("none").catch((error) => [error.response.status, error.response.data.message]);
const now = new Date();
const { data: used } = await api.getConsumptionHistoryPerProjectV2({
  from: new Date(now - 3600_000).toISOString(), to: now.toISOString(), granularity: "hourly",
  org_id: "org-local-00000000", metrics: ["compute_unit_seconds", "root_branch_bytes_month"], project_ids: [id],
});
await api.deleteProjectBranch({ projectId: id, branchId: branch.branch.id });
await ready();
await api.deleteProject(id);
console.log(
  JSON.stringify({
    pooled: uri.uri.includes("-pooler"),
    branches: listed.branches.map((each) => each.name).sort(),
    schema: typeof schema.sql,
    me: typeof me.login,
    wrong,
    metrics: used.projects[0].periods[0].consumption.at(-1).metrics.map((each) => each.metric_name),
  }),
);
