// `npm run check`: no circle of files, none of folders, and nothing that ships or is shown imports a test.
// Imports of types count: a folder that needs another's types needs that folder.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;
const MAY_IMPORT = { src: ["src"], dev: ["dev", "src"], tests: ["tests", "dev", "src", "scripts"] };

/** Every module under `root`, by path, with the modules it imports. */
export function readImports(root, rooms = Object.keys(MAY_IMPORT)) {
  const imports = new Map();
  for (const room of rooms) {
    if (!existsSync(join(root, room))) continue;
    for (const entry of readdirSync(join(root, room), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const name = relative(root, path);
      if (!/\.tsx?$/.test(entry.name) || name.startsWith(join("dev", "out"))) continue;
      const found = Array.from(readFileSync(path, "utf8").matchAll(IMPORT), ([, target]) =>
        relative(root, resolve(dirname(path), target)),
      );
      imports.set(name, new Set(found));
    }
  }
  return imports;
}

/** The same graph of folders: an import inside a folder is none. */
export function foldersOf(imports) {
  const folders = new Map();
  for (const [file, targets] of imports) {
    const from = dirname(file);
    const known = folders.get(from) ?? new Set();
    for (const target of targets) if (dirname(target) !== from) known.add(dirname(target));
    folders.set(from, known);
  }
  return folders;
}

/** A circle of the graph as a list that ends where it begins, or null. */
export function findCircle(graph) {
  const done = new Set();
  const path = [];
  const visit = (node) => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return null;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next);
      if (circle !== null) return circle;
    }
    path.pop();
    done.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const circle = visit(node);
    if (circle !== null) return circle;
  }
  return null;
}

/** Imports against the order src < dev < tests, as text. */
export function wrongWay(imports) {
  const room = (path) => path.split(/[\\/]/)[0];
  return Array.from(imports, ([file, targets]) => [...targets].map((target) => [file, target]))
    .flat()
    .filter(([file, target]) => !MAY_IMPORT[room(file)].includes(room(target)))
    .map(([file, target]) => `${file} imports ${target}`);
}

/** What is wrong with the imports under `root`, a line each. */
export function faults(root) {
  const imports = readImports(root);
  const circles = [findCircle(imports), findCircle(foldersOf(imports))].filter((circle) => circle !== null);
  return [...circles.map((circle) => `import cycle: ${circle.join(" -> ")}`), ...wrongWay(imports)];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const found = faults(root);
  for (const fault of found) console.error(fault);
  if (found.length > 0) process.exit(1);
}
