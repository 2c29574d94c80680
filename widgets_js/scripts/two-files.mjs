// The browser's code as two files: the first draws, the second has what `import("…")` asks for and nothing else needs.
// Modules that both need are in the first; the second imports them from "penstock:first", which src/runtime/parts.ts binds.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { build } from "esbuild";

const LAZY_IMPORT = /\bimport\(\s*"(\.{1,2}\/[^"]+)"\s*\)/g;
const SECOND = "penstock-second";
const SHARED_IMPORT = /import\{([^}]*)\}from"\.\/shared\.js";/g;

/** Modules that some module under `root`/src imports when it needs them, sorted. */
export function lazyModules(root) {
  const found = new Set();
  for (const entry of readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })) {
    if (!/\.tsx?$/.test(entry.name)) continue;
    const text = code(readFileSync(join(entry.parentPath, entry.name), "utf8"));
    for (const [, target] of text.matchAll(LAZY_IMPORT)) found.add(named(root, entry.parentPath, target));
  }
  return [...found].sort();
}

/** A module as both files name it, the same on every system. */
const named = (root, folder, target) => relative(root, resolve(folder, target)).split(sep).join("/");

const code = (text) => text.replace(/^\s*\/\/.*$/gm, "");

function plugin(root, modules) {
  const loader = join(root, "src", "runtime", "parts.ts");
  return {
    name: "two files",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${SECOND}$`) }, () => ({ path: SECOND, namespace: SECOND }));
      onLoad({ filter: /.*/, namespace: SECOND }, () => ({ contents: secondEntry(modules), resolveDir: root }));
      onLoad({ filter: /[\\/]src[\\/].*\.tsx?$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        const asked = text.replace(LAZY_IMPORT, (_, target) => {
          return `penstockLoadPart(${JSON.stringify(named(root, dirname(path), target))})`;
        });
        const contents =
          asked === text ? text : `import{loadPart as penstockLoadPart}from ${JSON.stringify(loader)};${asked}`;
        return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
}

function secondEntry(modules) {
  const imports = modules.map((path, i) => `import * as p${i} from ${JSON.stringify(`./${path}`)};`);
  const names = modules.map((path, i) => `${JSON.stringify(path)}: p${i}`);
  return `${imports.join("\n")}\nexport const parts = { ${names.join(", ")} };`;
}

/** The texts of both files. */
export async function bundles(root, options) {
  const modules = lazyModules(root);
  const split = await build({
    ...options,
    entryPoints: { first: "src/runtime/index.ts", second: SECOND },
    splitting: true,
    outdir: "out",
    chunkNames: "shared",
    plugins: [plugin(root, modules)],
  });
  const texts = new Map(split.outputFiles.map(({ path, text }) => [path.split(/[\\/]/).pop(), text]));
  if (texts.size !== 3) throw new Error(`expected three parts of two files, got ${[...texts.keys()].join(", ")}`);
  const needed = sharedNames(texts.get("second.js"));
  const second = texts.get("second.js").replace(SHARED_IMPORT, 'import{$1}from"penstock:first";');
  if (second.includes("./shared.js")) throw new Error("the second file imports shared modules in an unknown way");
  return { first: await joined(texts, needed, options), second };
}

/** Names that the second file takes from the shared part. */
function sharedNames(text) {
  return [...text.matchAll(SHARED_IMPORT)].flatMap(([, list]) =>
    list.split(",").map((one) => one.split(" as ")[0].trim()),
  );
}

/** The first file: its own part and the shared one, exporting what the second needs. */
async function joined(texts, needed, { define: _, alias: _alias, ...options }) {
  const inMemory = {
    name: "in memory",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\// }, ({ path }) => ({ path: path.slice(2), namespace: "memory" }));
      onLoad({ filter: /.*/, namespace: "memory" }, ({ path }) => ({ contents: texts.get(path), loader: "js" }));
    },
  };
  const contents = `export*from"./first.js";export{${needed.join(",")}}from"./shared.js";`;
  const result = await build({ ...options, stdin: { contents, loader: "js" }, plugins: [inMemory] });
  return result.outputFiles[0].text;
}
