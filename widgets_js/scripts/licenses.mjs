// The licenses of the packages whose code is in the built files, which ask to be copied with it.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const HEAD = `The files of penstock/widgets/static contain code of these packages, under these licenses.
Written by widgets_js/build.mjs.
`;
const LINE = "-".repeat(80);

/** Packages that are installed for a user, from the lock file: `name version`, with the folder of each. */
function packages(root) {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.entries(lock.packages)
    .filter(([folder, { dev }]) => folder !== "" && !dev)
    .map(([folder, { version }]) => ({ folder, name: `${folder.split("node_modules/").pop()} ${version}` }));
}

function license(root, folder) {
  const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no license file`);
  return readFileSync(join(root, folder, file), "utf8")
    .replaceAll("\r\n", "\n")
    .trim();
}

/** One text of all licenses; packages that share a license share an entry. */
export function licenses(root) {
  const found = new Map();
  for (const { folder, name } of packages(root)) {
    const text = license(root, folder);
    found.set(text, [...(found.get(text) ?? []), name]);
  }
  const entries = [...found].map(([text, names]) => `${LINE}\n${names.join(", ")}\n${LINE}\n${text}\n`);
  return `${HEAD}\n${entries.join("\n")}`;
}
