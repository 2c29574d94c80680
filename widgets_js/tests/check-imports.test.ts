// @vitest-environment node
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { faults } from "../scripts/check-imports.mjs";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "penstock-imports-"));
});

afterEach(() => rmSync(root, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

it("finds no fault where imports run one way", () => {
  write({ "src/a/x.ts": 'import { y } from "../b/y.ts";', "src/b/y.ts": "export const y = 1;" });
  expect(faults(root)).toEqual([]);
});

it("finds a circle of files in one folder", () => {
  write({ "src/a/x.ts": 'import "./y.ts";', "src/a/y.ts": 'export * from "./x.ts";' });
  expect(faults(root)).toEqual(["import cycle: src/a/x.ts -> src/a/y.ts -> src/a/x.ts"]);
});

it("finds a circle of folders whose files have none", () => {
  write({
    "src/a/x.ts": 'import type { Y } from "../b/y.ts";',
    "src/a/z.ts": "export const z = 1;",
    "src/b/y.ts": "export type Y = 1;",
    "src/b/w.ts": 'const z = await import("../a/z.ts");',
  });
  expect(faults(root)).toEqual(["import cycle: src/a -> src/b -> src/a"]);
});

it.each([
  ["src/a/x.ts", "../../tests/y.ts", "src/a/x.ts imports tests/y.ts"],
  ["dev/x.ts", "../tests/y.ts", "dev/x.ts imports tests/y.ts"],
  ["src/x.ts", "../dev/y.ts", "src/x.ts imports dev/y.ts"],
])("refuses that %s imports %s", (file, target, fault) => {
  write({ [file]: `import { y } from "${target}";`, "tests/y.ts": "export const y = 1;" });
  expect(faults(root)).toEqual([fault]);
});
