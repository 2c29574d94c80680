// `npm run bench`: slider latency in a real browser. With --check it fails beyond four times the limits.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// medians, in milliseconds
const LIMITS = [
  ["slider to bars", (result) => result.slider_to_bars_ms.median, 8],
  ["slider to coverage", (result) => result.slider_to_coverage_ms.median, 16],
  ["slider to bars at 1,203 classes", (result) => result.many_classes.slider_to_bars_ms.median, 16],
];
const SLACK = 4; // a shared machine
const TIMEOUT_MS = 90_000;

const here = join(dirname(fileURLToPath(import.meta.url)), "..");

function browser() {
  const named = process.env.PENSTOCK_CHROMIUM;
  if (named) return named;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const places = (process.env.PATH ?? "").split(delimiter);
  return places.flatMap((place) => names.map((name) => join(place, name))).find((path) => existsSync(path));
}

async function page() {
  const options = { absWorkingDir: here, bundle: true, minify: true, write: false, logLevel: "warning" };
  const script = {
    ...options,
    entryPoints: ["dev/bench.tsx"],
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "preact",
  };
  const [code, style] = await Promise.all([build(script), build({ ...options, entryPoints: ["src/style.css"] })]);
  const files = { "/bench.js": code.outputFiles[0].text, "/style.css": style.outputFiles[0].text };
  const html = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/style.css"><div id="root" style="width:568px"></div><script type="module" src="/bench.js"></script>`;
  return (path) => files[path] ?? html;
}

const TYPES = { "/bench.js": "text/javascript", "/style.css": "text/css" };

async function run(chromium) {
  const answer = await page();
  const profile = mkdtempSync(join(tmpdir(), "penstock-bench-"));
  let child;
  try {
    return await new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        if (request.method !== "POST") {
          response.setHeader("content-type", TYPES[request.url] ?? "text/html");
          response.end(answer(request.url));
          return;
        }
        let body = "";
        request.on("data", (part) => (body += part));
        request.on("end", () => {
          response.end();
          server.close();
          resolve(JSON.parse(body));
        });
      });
      server.listen(0, "127.0.0.1", () => {
        const flags = [
          "--headless=new",
          "--no-sandbox",
          "--disable-gpu",
          "--no-first-run",
          `--user-data-dir=${profile}`,
        ];
        child = spawn(chromium, [...flags, `http://127.0.0.1:${server.address().port}/`], { stdio: "ignore" });
        child.on("error", reject);
      });
      setTimeout(() => reject(new Error("the browser did not answer")), TIMEOUT_MS).unref();
    });
  } finally {
    child?.kill();
    await new Promise((resolve) => setTimeout(resolve, 300));
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

const chromium = browser();
if (chromium === undefined) {
  console.log("SKIPPED: no Chromium on PATH. Hint: set PENSTOCK_CHROMIUM");
  process.exit(0);
}
const result = await run(chromium);
console.log(JSON.stringify(result, null, 2));
const late = result.failure === undefined ? LIMITS.filter(([, of, limit]) => !(of(result) <= SLACK * limit)) : LIMITS;
if (process.argv.includes("--check") && late.length > 0) {
  console.error(`too slow: ${late.map(([name]) => name).join(", ")}, beyond ${SLACK} times the limit`);
  process.exit(1);
}
process.exit(0);
