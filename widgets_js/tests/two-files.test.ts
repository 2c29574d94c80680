// Which module is in which file, from the sources as they are.
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bundles, lazyModules } from "../scripts/two-files.mjs";

const ROOT = join(import.meta.dirname, "..");
const options = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "silent",
} as const;

describe("the two files", () => {
  let files: { first: string; second: string };
  beforeAll(async () => {
    files = await bundles(ROOT, { ...options, define: { PENSTOCK_BUILD: '"x"' } });
  }, 30_000);

  it("asks the loader for each module that is imported later, and the second file has it", () => {
    const modules = lazyModules(ROOT);
    expect(modules).toContain("src/detail/detail-panel.tsx");
    for (const path of modules) expect(files.second).toContain(`"${path}"`);
    expect(files.first).not.toMatch(/\bimport\("\./);
    expect(files.first).toContain('"src/detail/detail-panel.tsx"');
  });

  it("has what is imported later in the second file alone", () => {
    for (const text of ["cm-tooltip-autocomplete", "cm-lineWrapping"]) expect(files.first).not.toContain(text);
    expect(files.second).toContain("cm-tooltip-autocomplete");
  });

  it("shares one Preact and one set of signals", () => {
    expect(files.first).toContain("preact-signals");
    expect(files.second).not.toContain("preact-signals");
    expect(files.second).not.toContain("__k");
    const names = [...files.second.matchAll(/import\{([^}]*)\}from"penstock:first"/g)].flatMap(([, list = ""]) =>
      list.split(",").map((one) => one.split(" as ")[0]),
    );
    const exported = new Set(
      [...files.first.matchAll(/export\{([^}]*)\}/g)].flatMap(([, list = ""]) =>
        list.split(",").map((one) => one.split(" as ").pop()),
      ),
    );
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !exported.has(name))).toEqual([]);
  });
});
