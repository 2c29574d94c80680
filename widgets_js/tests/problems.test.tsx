// Tiles without an image: few words, the sentence behind them, another try where that may help.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel, type FakeOptions } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { views } from "../src/runtime/index.ts";

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 10 });
let unmount = (): void => {};

async function open(fault: NonNullable<FakeOptions["fault"]>) {
  const model = new FakeModel({ _kind: "explorer", query: "select *" });
  const options: FakeOptions = { numSamples: 40, broken: [1, 2], fault };
  const kernel = new FakeKernel(options);
  model.onSend = ({ op, id, args }) => {
    if (op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => model.reply(id, result, buffers),
      (error) => model.refuse(id, error),
    );
  };
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  unmount = views.explorer?.({ model, el }) ?? unmount;
  const broken = () => [...el.querySelectorAll<HTMLElement>("[data-testid=penstock-broken]")];
  await eventually(() => expect(broken()).toHaveLength(2));
  return { el, broken, options, kernel };
}

beforeEach(() => {
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(494);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
});
afterEach(() => {
  unmount();
  vi.restoreAllMocks();
});

describe("a tile without an image", () => {
  it.each([
    ["unreachable", "not reachableRetry"],
    ["refused", "access deniedRetry"],
    ["missing", "file missingRetry"],
    ["damaged", "cannot decode"],
    ["none", "no image"],
    ["other", "cannot be shownRetry"],
  ] as const)("of kind %s says so in few words, with its sentence behind", async (problem, words) => {
    const { broken } = await open({ problem, error: "the linked file 'a' cannot be read: a long reason" });
    expect(broken()[0]?.textContent).toBe(words);
    expect(broken()[0]?.title).toBe("the linked file 'a' cannot be read: a long reason");
  });

  it("is asked for again, and selects nothing then", async () => {
    const { broken, options, kernel, el } = await open({ problem: "unreachable", error: "x" });
    options.broken = [];
    const selected = el.querySelectorAll("[aria-selected=true]").length;
    broken()[0]?.querySelector("button")?.click();
    await eventually(() => expect(broken()).toEqual([]));
    expect(kernel.log.filter(({ op }) => op === "grid.page")).toHaveLength(2);
    expect(el.querySelectorAll("[aria-selected=true]")).toHaveLength(selected);
  });

  it("that was denied is said once for all in the line of the query, with one more try", async () => {
    const error = "the linked file 's3://b/x.png' cannot be read: access was denied with the credentials of 'mine'";
    const { el, options } = await open({ problem: "refused", error });
    const banner = () => el.querySelector<HTMLElement>("[data-testid=penstock-refused]");
    await eventually(() => expect(banner()).not.toBeNull());
    expect(banner()?.textContent).toBe(
      "Some images cannot be read: access was denied with the credentials of 'mine'Retry",
    );
    expect(banner()?.title).toBe(error);
    options.broken = [];
    banner()?.querySelector("button")?.click();
    await eventually(() => expect(banner()).toBeNull());
  });
});
