// The official TypeScript client: connect, look around, make one call that must be refused.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.NODE_PATH + "/x.js");
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Client, StreamableHTTPClientTransport } = await load("@modelcontextprotocol/client");

const [kind, first, ...rest] = process.argv.slice(2);
let transport;
if (kind === "http") {
  const headers = { authorization: `Bearer ${process.env.TOKEN}` };
  transport = new StreamableHTTPClientTransport(new URL(first), { requestInit: { headers } });
} else {
  const { StdioClientTransport } = await load("@modelcontextprotocol/client/stdio");
  transport = new StdioClientTransport({ command: first, args: rest });
}

const client = new Client({ name: "neondba-test", version: "1" });
try {
  await client.connect(transport);
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
  process.exit(0);
}
const refused = await client.callTool({
  name: "run_operation",
  arguments: { name: "query.run", arguments: { statement: "drop table users" } },
});
const rule = await client.readResource({ uri: "neondba://rule/NDB405" });
console.log(
  JSON.stringify({
    tools: (await client.listTools()).tools.map((tool) => tool.name),
    prompts: (await client.listPrompts()).prompts.map((prompt) => prompt.name),
    resources: (await client.listResources()).resources.map((resource) => resource.uri),
    rule: rule.contents[0].text,
    refused: refused.structuredContent,
  }),
);
await client.close();
