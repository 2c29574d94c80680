import { describe, expect, it, vi } from "vitest";
import { forwardSave } from "../src/ui/focus.ts";

function notebook(): HTMLElement {
  const panel = document.createElement("div");
  panel.className = "jp-Notebook";
  document.body.replaceChildren(panel);
  return panel;
}

function press(target: HTMLElement, init: KeyboardEventInit): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init });
  target.dispatchEvent(event);
  return event;
}

describe("forwardSave", () => {
  it("hands Ctrl+S to the notebook with a keyCode and stops the browser's own dialog", () => {
    const panel = notebook();
    const root = document.createElement("div");
    const saved = vi.fn();
    panel.addEventListener("keydown", (event) => saved(event.keyCode, event.ctrlKey));
    forwardSave(root);
    const event = press(root, { key: "s", ctrlKey: true });
    expect(saved).toHaveBeenCalledWith(83, true);
    expect(event.defaultPrevented).toBe(true);
  });

  it("leaves other keys alone", () => {
    const panel = notebook();
    const saved = vi.fn();
    panel.addEventListener("keydown", saved);
    const root = document.createElement("div");
    forwardSave(root);
    press(root, { key: "s" });
    press(root, { key: "s", ctrlKey: true, shiftKey: true });
    press(root, { key: "d", ctrlKey: true });
    expect(saved).not.toHaveBeenCalled();
  });
});
