// The line that says what was done: how long it stays, what keeps it, what takes it away.
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { liveSession } from "../dev/scripted-kernel.ts";
import { Toast as Line } from "../src/explorer/toast.tsx";
import { readingTime } from "../src/session/edit-session.ts";
import type { Toast } from "../src/session/store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function shown(text: string, bad = false, action?: Toast["action"]) {
  const { session } = liveSession();
  const root = document.createElement("div");
  root.className = "penstock";
  document.body.append(root);
  session.edits.showToast({ text, undo: false, redo: false, ...(bad && { bad }), ...(action && { action }) });
  render(<Line session={session} />, root);
  await vi.advanceTimersByTimeAsync(10); // effects have run
  onTestFinished(() => {
    render(null, root);
    root.remove();
    session.dispose();
  });
  const line = () => root.querySelector<HTMLElement>(".penstock-toast");
  const press = (key: string): KeyboardEvent => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    root.dispatchEvent(event);
    return event;
  };
  return { session, line, press };
}

describe("a toast", () => {
  it.each([
    [{ text: "undone" }, 2360],
    [{ text: "x".repeat(50) }, 5000],
    [{ text: "x".repeat(50), action: { label: "Go to cell", run: () => {} } }, 9000],
    [{ text: "x".repeat(400) }, 12_000],
  ])("stays as long as it takes to read, and to act on", (toast, time) => {
    expect(readingTime(toast)).toBe(time);
  });

  it("goes when what it offers is done", async () => {
    const run = vi.fn();
    const { session, line } = await shown("Inserted a cell", false, { label: "Go to cell", run });
    line()?.querySelector("button")?.click();
    expect(run).toHaveBeenCalledOnce();
    expect(session.store.toast.value).toBeNull();
  });

  it("goes by itself when it is read", async () => {
    const { session } = await shown("undone");
    await vi.advanceTimersByTimeAsync(2300);
    expect(session.store.toast.value?.text).toBe("undone");
    await vi.advanceTimersByTimeAsync(100);
    expect(session.store.toast.value).toBeNull();
  });

  it("stays under the pointer", async () => {
    const { session, line } = await shown("undone");
    line()?.dispatchEvent(new Event("pointerenter"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.store.toast.value?.text).toBe("undone");
    line()?.dispatchEvent(new Event("pointerleave"));
    await vi.advanceTimersByTimeAsync(2400);
    expect(session.store.toast.value).toBeNull();
  });

  it("goes with Esc, which does what else it does", async () => {
    const { session, press } = await shown("undone");
    expect(press("Enter").defaultPrevented).toBe(false);
    expect(session.store.toast.value?.text).toBe("undone");
    expect(press("Escape").defaultPrevented).toBe(false);
    expect(session.store.toast.value).toBeNull();
  });

  it("of an error stays until Esc, and takes that key for itself", async () => {
    const { session, press } = await shown("The file could not be written", true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.store.toast.value?.bad).toBe(true);
    expect(press("Escape").defaultPrevented).toBe(true);
    expect(session.store.toast.value).toBeNull();
  });
});
