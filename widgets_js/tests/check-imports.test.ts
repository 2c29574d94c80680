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

/** Text that imports; written so that the check does not read it as an import of this file. */
const importing = (target: string, what = "import { y } from") => `${what} "${target}";`;

it("finds no fault where imports run one way", () => {
  write({ "src/a/x.ts": importing("../b/y.ts"), "src/b/y.ts": "export const y = 1;" });
  expect(faults(root)).toEqual([]);
});

it("finds a circle of files in one folder", () => {
  write({ "src/a/x.ts": importing("./y.ts", "import"), "src/a/y.ts": importing("./x.ts", "export * from") });
  expect(faults(root)).toEqual(["import cycle: src/a/x.ts -> src/a/y.ts -> src/a/x.ts"]);
});

it("finds a circle of folders whose files have none", () => {
  write({
    "src/a/x.ts": importing("../b/y.ts", "import type { Y } from"),
    "src/a/z.ts": "export const z = 1;",
    "src/b/y.ts": "export type Y = 1;",
    "src/b/w.ts": importing("../a/z.ts", "export { z } from"),
  });
  expect(faults(root)).toEqual(["import cycle: src/a -> src/b -> src/a"]);
});

it.each([
  ["src/a/x.ts", "../../tests/y.ts", "src/a/x.ts imports tests/y.ts"],
  ["dev/x.ts", "../tests/y.ts", "dev/x.ts imports tests/y.ts"],
  ["src/x.ts", "../dev/y.ts", "src/x.ts imports dev/y.ts"],
])("refuses that %s imports %s", (file, target, fault) => {
  write({ [file]: importing(target), "tests/y.ts": "export const y = 1;" });
  expect(faults(root)).toEqual([fault]);
});
