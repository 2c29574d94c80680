// The second file: asked of whichever widget answers, and only of the build of the first.
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadPart, offerParts, type PartSource } from "../src/runtime/parts.ts";

const stops: (() => void)[] = [];
const offer = (source: PartSource): void => void stops.push(offerParts(source));
const other = (): Promise<BlobPart> => Promise.resolve(gzipSync("/*otherbuild*/export const parts = {};"));

beforeEach(() => vi.stubGlobal("PENSTOCK_BUILD", "thisbuild"));
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the second file", () => {
  it("is refused when it is of another build", async () => {
    offer(other);
    await expect(loadPart("a")).rejects.toThrow("another version of penstock. Run its cell again");
  });

  it("is asked for again after a failure, and once by all that wait", async () => {
    const source = vi.fn(other);
    offer(source);
    await Promise.allSettled([loadPart("a"), loadPart("b")]);
    expect(source).toHaveBeenCalledOnce();
    await expect(loadPart("a")).rejects.toThrow();
    expect(source).toHaveBeenCalledTimes(2);
  });

  it("comes from the next widget where one is closed meanwhile", async () => {
    const first = vi.fn(other);
    offer(first);
    offer(() => Promise.reject(new Error("cancelled")));
    await expect(loadPart("a")).rejects.toThrow("another version");
    expect(first).toHaveBeenCalledOnce();
  });

  it("waits for a widget that is live", async () => {
    const asked = loadPart("a");
    const source = vi.fn(other);
    offer(source);
    await expect(asked).rejects.toThrow("another version");
    expect(source).toHaveBeenCalledOnce();
  });

  it("is given up after ten seconds without one", async () => {
    vi.useFakeTimers();
    const asked = expect(loadPart("a")).rejects.toThrow("The kernel does not answer");
    await vi.advanceTimersByTimeAsync(10_000);
    await asked;
  });
});
