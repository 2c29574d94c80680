// What is committed under penstock/widgets/static, held to its promises.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const STATIC = join(import.meta.dirname, "..", "..", "penstock", "widgets", "static");
const packed = readFileSync(join(STATIC, "runtime.js.gz"));
const packedExtra = readFileSync(join(STATIC, "runtime-extra.js.gz"));
const extra = gunzipSync(packedExtra).toString("utf8");
const runtime = gunzipSync(packed).toString("utf8");
const stub = readFileSync(join(STATIC, "stub.js"), "utf8");
const page = readFileSync(join(STATIC, "static-page.js"), "utf8");
const style = readFileSync(join(STATIC, "style.css"), "utf8");

describe("the bundle", () => {
  it("draws from at most 560 KB, 185 KB packed", () => {
    expect(Buffer.byteLength(runtime)).toBeLessThanOrEqual(560_000);
    expect(packed.byteLength).toBeLessThanOrEqual(185_000);
  });

  it("loads at most 200 KB more, packed, when they are needed", () => {
    expect(packedExtra.byteLength).toBeLessThanOrEqual(200_000);
  });

  it("is of one build", () => {
    const name = /^\/\*([0-9a-f]{16})\*\//.exec(extra)?.[1];
    expect(name).toBeDefined();
    expect(runtime.split(String(name))).toHaveLength(2);
  });

  it("names no time and no system in its gzip header", () => {
    for (const one of [packed, packedExtra]) {
      expect([...one.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
      expect(one[9]).toBe(255);
    }
  });

  it("reaches no network", () => {
    for (const text of [runtime, extra, stub, page, style]) expect(text).not.toContain("https://");
    expect(style).not.toMatch(/url\(|@import/);
  });

  it("makes markup from strings nowhere but in Preact's own two places", () => {
    expect(runtime.match(/\.innerHTML|dangerouslySetInnerHTML/g)?.length ?? 0).toBeLessThanOrEqual(6);
    expect(runtime.match(/\.innerHTML\s*=[^=]/g) ?? []).toHaveLength(1);
    expect(extra).not.toMatch(/innerHTML|dangerouslySetInnerHTML/i);
    for (const text of [runtime, extra])
      expect(text).not.toMatch(/outerHTML|insertAdjacentHTML|document\.write\(|\beval\(|new Function\(/);
  });

  it("has a stub of a kilobyte", () => expect(stub.length).toBeLessThan(1600));

  it("has a script for pages without a kernel that fits inside a script element", () => {
    expect(page.length).toBeLessThan(46_000); // it answers queries on labels, and presets, by itself
    expect(page).not.toMatch(/<\/script|<!--/i);
  });

  it("styles nothing outside .penstock", () => {
    const outside = topSelectors(style).flatMap((selectors) => selectors.split(/,(?![^(]*\))/));
    expect(outside.length).toBeGreaterThan(5);
    expect(outside.filter((selector) => !selector.includes(".penstock"))).toEqual([]);
  });
});

/** Selectors that stand in no other rule; blocks of @media and @container are looked into, those of @keyframes are not. */
function topSelectors(css: string): string[] {
  const found: string[] = [];
  const open: string[] = [];
  for (const [, text = "", end] of css.matchAll(/([^{};]*)([{};])/g)) {
    const head = text.trim();
    if (end === "}") open.pop();
    if (end !== "{") continue;
    if (open.every((one) => /^@(media|container)/.test(one)) && !head.startsWith("@")) found.push(head);
    open.push(head);
  }
  return found;
}
