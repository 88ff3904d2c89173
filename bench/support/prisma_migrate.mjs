import fs from "node:fs"; import path from "node:path";
import { createRequire } from "node:module";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as bg from "@prisma/schema-engine-wasm";
const [host, database, user, folder] = process.argv.slice(2);
const mod = bg.SchemaEngine ? bg : bg.default;
if (bg.initSync) bg.initSync({ module: fs.readFileSync("node_modules/@prisma/schema-engine-wasm/schema_engine_bg.wasm") });
const factory = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ host, database, user }));
const engine = await mod.SchemaEngine.new({ datamodels: undefined }, () => {}, factory);
const dirs = fs.readdirSync(folder).filter(n => fs.existsSync(path.join(folder, n, "migration.sql"))).sort();
const lock = path.join(folder, "migration_lock.toml");
const migrationsList = { baseDir: folder, lockfile: { path: "./migration_lock.toml", content: fs.existsSync(lock) ? fs.readFileSync(lock, "utf8") : null }, shadowDbInitScript: "",
  migrationDirectories: dirs.map(p => ({ path: p, migrationFile: { path: "migration.sql", content: { tag: "ok", value: fs.readFileSync(path.join(folder, p, "migration.sql"), "utf8") } } })) };
const filters = { externalTables: [], externalEnums: [] };
const d = await engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters });
console.log("diagnose", JSON.stringify(d));
const a = await engine.applyMigrations({ migrationsList, filters });
console.log("applied", JSON.stringify(a)); process.exit(0);
