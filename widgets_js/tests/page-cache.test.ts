// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model.ts";
import { PAGE, PageCache, pagesOf } from "../src/session/page-cache.ts";
import { Rpc } from "../src/session/rpc.ts";

const tile = (position: number) => ({
  position,
  row: position,
  uid: String(position),
  image: position % PAGE,
  error: null,
});
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function setUp() {
  const model = new FakeModel();
  const cache = new PageCache(new Rpc(model));
  cache.configure("a", 1000, false);
  const answer = (index: number): void => {
    const request = model.sent[index];
    const { start, stop } = (request?.args ?? {}) as { start: number; stop: number };
    const tiles = Array.from({ length: stop - start }, (_, i) => tile(start + i));
    model.reply(
      request?.id ?? "",
      { tiles, pool_size: 1000 },
      tiles.map(() => new Uint8Array([255, 216]).buffer),
    );
  };
  return { model, cache, answer };
}

describe("page cache", () => {
  const revoked: string[] = [];
  beforeEach(() => {
    let made = 0;
    vi.spyOn(URL, "createObjectURL").mockImplementation(() => `blob:${++made}`);
    vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void revoked.push(url));
    revoked.length = 0;
  });
  afterEach(() => vi.restoreAllMocks());

  it("asks once for each visible page and gives its tiles", async () => {
    const { model, cache, answer } = setUp();
    cache.want(pagesOf(40, 60), 128);
    cache.want(pagesOf(40, 60), 128);
    expect(model.sent.map(({ args }) => [args.start, args.stop])).toEqual([
      [0, 48],
      [48, 96],
    ]);
    answer(0);
    await settle();
    expect(cache.tile(47)).toMatchObject({ row: 47, url: "blob:48" });
    expect(cache.tile(48)).toBeUndefined();
  });

  it("cuts the last page at the end of the pool", () => {
    const { model, cache } = setUp();
    cache.want(pagesOf(990, 1000), 128);
    expect(model.sent[0]?.args).toMatchObject({ start: 960, stop: 1000 });
  });

  it("cancels pages that were scrolled past", async () => {
    const { model, cache } = setUp();
    cache.want([0], 128);
    cache.want([9], 128);
    await settle();
    expect(model.sent.map(({ op }) => op)).toEqual(["grid.page", "cancel", "grid.page"]);
    expect(cache.fault(0)).toBeNull();
  });

  it("shows the old tiles of the same samples until the new ones come, then gives their pictures back", async () => {
    const { cache, answer } = setUp();
    cache.want([0], 128);
    answer(0);
    await settle();
    cache.configure("b", 1000, true);
    expect(cache.tile(3)?.url).toBe("blob:4");
    cache.want([0], 128);
    answer(1);
    await settle();
    expect(cache.tile(3)?.url).toBe("blob:52");
    expect(revoked).toHaveLength(PAGE);
  });

  it("drops the tiles of another pool at once", async () => {
    const { cache, answer } = setUp();
    cache.want([0], 128);
    answer(0);
    await settle();
    cache.configure("b", 10, false);
    expect(cache.tile(3)).toBeUndefined();
    expect(revoked).toHaveLength(PAGE);
  });

  it("keeps the reason a page failed with, until it is asked for again", async () => {
    const { model, cache } = setUp();
    cache.want([0], 128);
    model.refuse(model.sent[0]?.id ?? "", { code: "LinkError", message: "credentials refused" });
    await settle();
    expect(cache.fault(5)).toBe("credentials refused");
    cache.retry(5);
    cache.want([0], 128);
    expect(model.sent).toHaveLength(2);
  });

  it("keeps a bounded number of pages", async () => {
    const { cache, answer } = setUp();
    cache.configure("c", 100_000, false);
    for (let page = 0; page < 50; page++) {
      cache.want([page], 128);
      answer(page);
      await settle();
    }
    expect(cache.tile(0)).toBeUndefined();
    expect(cache.tile(49 * PAGE)).toBeDefined();
    expect(revoked).toHaveLength(10 * PAGE);
  });
});
