// Run commands of Neon's official command line, unchanged, in one process: loading its 400 modules takes
// most of a command's time. Its arguments are two open files: from the first come lines such as
// {"words": [...], "folder": "..."}, into the second go {"code": 0, "stdout": "...", "stderr": "..."}.
import { readSync, writeSync } from "node:fs";

const ENTRY = new URL("node_modules/neon/dist/index.js", import.meta.url);
const [asked, answered] = process.argv.slice(2).map(Number);
const ENDED = Symbol("the command has ended");
const said = { stdout: "", stderr: "" };
let number = 0;
let code = 0;
let rest = "";

for (const name of ["stdout", "stderr"]) {
  process[name].write = (chunk, encoding, done) => {
    said[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    (typeof encoding === "function" ? encoding : done)?.();
    return true;
  };
}
const leave = process.exit.bind(process);
process.exit = (given) => {
  code = Number(given ?? process.exitCode ?? 0);
  throw ENDED;
};
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => {
    if (error === ENDED) return;
    said.stderr += `${error?.stack ?? error}\n`;
    code = 1;
  });
}

function nextLine() {
  const buffer = Buffer.alloc(65536);
  while (!rest.includes("\n")) {
    const length = readSync(asked, buffer);
    if (length === 0) return undefined;
    rest += buffer.toString("utf8", 0, length);
  }
  const end = rest.indexOf("\n");
  const line = rest.slice(0, end);
  rest = rest.slice(end + 1);
  return line;
}

function begin() {
  const line = nextLine();
  if (line === undefined) return;
  const { words, folder } = JSON.parse(line);
  Object.assign(said, { stdout: "", stderr: "" });
  code = 0;
  process.exitCode = undefined;
  process.argv = [process.argv[0], ENTRY.pathname, ...words];
  process.chdir(folder);
  number += 1;
  // In a round of the event loop of its own: `beforeExit` follows rounds, and some commands wait for nothing.
  setImmediate(() => import(`${ENTRY}?${number}`));
}

// Comes whenever nothing is left to do: the command that ran is over.
process.on("beforeExit", () => {
  try {
    const ended = { code: code || process.exitCode || 0, ...said };
    if (number > 0) writeSync(answered, `${JSON.stringify(ended)}\n`);
    begin();
  } catch {
    leave(1); // Nobody asks any more; the handlers above would have us try for ever.
  }
});
