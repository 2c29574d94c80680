import { type ComponentType, render } from "preact";
import { onTestFinished } from "vitest";
import type { FakeModel } from "../../dev/fake-model.ts";
import { liveSession, type Scenario, settled } from "../../dev/scripted-kernel.ts";
import type { Session } from "../../src/session/session.ts";
import type { Store } from "../../src/session/store.ts";

export interface Mounted {
  root: HTMLElement;
  session: Session;
  store: Store;
  model: FakeModel;
  find: <E extends HTMLElement = HTMLElement>(selector: string) => E;
  all: <E extends HTMLElement = HTMLElement>(selector: string) => E[];
}

/** Panels over one live session, unmounted when the test ends. */
export async function mounted(
  scenario: Scenario,
  ...panels: ComponentType<{ store: Store; session: Session }>[]
): Promise<Mounted> {
  const { session, model } = liveSession(scenario);
  const root = document.createElement("div");
  root.className = "penstock";
  document.body.append(root);
  render(
    <>
      {panels.map((Panel) => (
        <Panel key={Panel.name} store={session.store} session={session} />
      ))}
    </>,
    root,
  );
  onTestFinished(() => {
    render(null, root);
    root.remove();
    session.dispose();
  });
  await settled();
  const find = <E extends HTMLElement>(selector: string): E => {
    const found = root.querySelector<E>(selector);
    if (found === null) throw new Error(`nothing like ${selector} in ${root.textContent}`);
    return found;
  };
  const all = <E extends HTMLElement>(selector: string): E[] => [...root.querySelectorAll<E>(selector)];
  return { root, session, store: session.store, model, find, all };
}

/** What a user types into a field. */
export function type(field: HTMLInputElement, text: string): void {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** What a user does to a slider. */
export function slide(slider: HTMLInputElement, position: number): void {
  slider.value = String(position);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}

export function press(target: HTMLElement, key: string, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
