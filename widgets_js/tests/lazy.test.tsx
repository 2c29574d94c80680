// A component that is loaded later: its place is held, a failure is tried again, and in a popup the keys find it.
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lazy } from "../src/ui/lazy.tsx";

const root = document.createElement("div");
const Part = ({ name }: { name: string }) => <input aria-label={name} />;
const holder = (): HTMLElement | null => root.querySelector("[data-testid=penstock-lazy]");
const passed = async (ms = 0): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms);
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.useRealTimers();
});

describe("lazy", () => {
  it("holds the place of the component until it is there, and no longer", async () => {
    const Later = lazy(async () => Part, "penstock-detail");
    render(<Later name="a" />, root);
    expect(holder()?.className).toBe("penstock-lazy penstock-detail");
    expect(holder()?.getAttribute("aria-busy")).toBe("true");
    await passed(50);
    expect(holder()).toBeNull();
    expect(root.querySelector("input")?.getAttribute("aria-label")).toBe("a");
  });

  it("is there at once the second time", async () => {
    const load = vi.fn(async () => Part);
    const Later = lazy(load);
    render(<Later name="a" />, root);
    await passed(50);
    render(null, root);
    render(<Later name="b" />, root);
    expect(root.querySelector("input")?.getAttribute("aria-label")).toBe("b");
    expect(load).toHaveBeenCalledOnce();
  });

  it("tries again twice by itself, then when asked", async () => {
    const load = vi.fn(async () => Part).mockRejectedValueOnce(new Error("x"));
    for (let i = 0; i < 2; i++) load.mockRejectedValueOnce(new Error("TypeError: Failed to fetch"));
    const Later = lazy(load);
    render(<Later name="a" />, root);
    await passed(3000);
    expect(load).toHaveBeenCalledTimes(3);
    expect(holder()?.textContent).toBe("This part could not be loaded. Retry");
    root.querySelector("button")?.click();
    await passed(50);
    expect(root.querySelector("input")).not.toBeNull();
  });

  it("says what its loader says in whole words", async () => {
    const Later = lazy(async (): Promise<typeof Part> => {
      throw new Error("The kernel does not answer.");
    });
    render(<Later name="a" />, root);
    await passed(3000);
    expect(holder()?.textContent).toBe("The kernel does not answer. Retry");
  });

  it("stops trying when it is gone", async () => {
    const load = vi.fn(async () => Part).mockRejectedValue(new Error("x"));
    const Later = lazy(load);
    render(<Later name="a" />, root);
    await passed(50);
    render(null, root);
    await passed(9000);
    expect(load).toHaveBeenCalledOnce();
  });

  it("gives the focus to the first field of a popup that waited for it", async () => {
    const Later = lazy(async () => Part);
    render(
      <div class="penstock-popover">
        <Later name="a" />
      </div>,
      root,
    );
    await passed(50);
    expect(document.activeElement).toBe(root.querySelector("input"));
  });
});
