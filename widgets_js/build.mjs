// Builds penstock/widgets/static/: runtime.js.gz (every view), runtime-extra.js.gz (what is needed later than the first
// paint), stub.js (what each widget carries), static-page.js (the script of a page without a kernel) and style.css; and
// licenses.txt beside this file, with the licenses of the packages whose code is in them.
// `--check` rebuilds and compares with what is committed; `--dev` builds the development page into dev/out.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { licenses } from "./scripts/licenses.mjs";
import { bundles } from "./scripts/two-files.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "penstock", "widgets", "static");
const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  write: false,
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
  alias: { "d3-interpolate": "./src/ui/interpolate-numbers.ts" },
};
const script = { ...common, format: "esm", target: "es2022", jsx: "automatic", jsxImportSource: "preact" };
const BUILD = "PENSTOCK-BUILD-NAME";

async function text(options) {
  const result = await build(options);
  return result.outputFiles[0].text;
}

/** gzip whose header names neither time nor system, so that the same text gives the same bytes. */
function deterministicGzip(bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  packed.fill(0, 4, 8);
  packed[9] = 255;
  return packed;
}

async function assets() {
  const { first, second } = await bundles(here, { ...script, define: { PENSTOCK_BUILD: JSON.stringify(BUILD) } });
  const stub = await text({ ...script, entryPoints: ["src/runtime/stub.ts"] });
  const page = await text({ ...script, entryPoints: ["src/runtime/static-page.ts"] });
  const style = await text({
    ...common,
    entryPoints: ["src/style.css"],
    target: ["chrome123", "firefox120", "safari17.5"],
  });
  return { ...signed(first, second), stub, page, style, notices: licenses(here) };
}

/** Both files with the name of their build: the second refuses to be loaded by the first of another. */
function signed(first, second) {
  const name = createHash("sha256").update(first).update(second).digest("hex").slice(0, 16);
  if (first.split(BUILD).length !== 2) throw new Error("the first file names its build in one place");
  return { runtime: first.replace(BUILD, name), extra: `/*${name}*/${second}` };
}

function compare(built) {
  const committed = {
    runtime: gunzipSync(readFileSync(join(out, "runtime.js.gz"))).toString(),
    extra: gunzipSync(readFileSync(join(out, "runtime-extra.js.gz"))).toString(),
    stub: readFileSync(join(out, "stub.js"), "utf8"),
    page: readFileSync(join(out, "static-page.js"), "utf8"),
    style: readFileSync(join(out, "style.css"), "utf8"),
    notices: readFileSync(join(here, "licenses.txt"), "utf8"),
  };
  const stale = Object.entries(built).filter(([name, text]) => committed[name] !== text);
  if (stale.length > 0) {
    console.error(
      `stale: ${stale.map(([name]) => name).join(", ")}. Hint: npm run build, and commit penstock/widgets/static and widgets_js/licenses.txt`,
    );
    process.exit(1);
  }
}

function write({ runtime, extra, stub, page, style, notices }) {
  const packed = deterministicGzip(Buffer.from(runtime));
  const later = deterministicGzip(Buffer.from(extra));
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "runtime.js.gz"), packed);
  writeFileSync(join(out, "runtime-extra.js.gz"), later);
  writeFileSync(join(out, "stub.js"), stub);
  writeFileSync(join(out, "static-page.js"), page);
  writeFileSync(join(out, "style.css"), style);
  writeFileSync(join(here, "licenses.txt"), notices);
  console.log(
    `runtime ${runtime.length} bytes, gzip ${packed.length}; extra ${extra.length}, gzip ${later.length}; stub ${stub.length}; page ${page.length}; style ${style.length}`,
  );
}

async function dev() {
  const outdir = join(here, "dev", "out");
  const options = { ...script, minify: false, sourcemap: "inline", write: true, outdir, loader: { ".css": "css" } };
  await build({ ...options, entryPoints: ["dev/page.tsx", "dev/table.tsx", "dev/strip.tsx", "src/style.css"] });
}

if (process.argv.includes("--dev")) await dev();
else if (process.argv.includes("--check")) compare(await assets());
else write(await assets());
