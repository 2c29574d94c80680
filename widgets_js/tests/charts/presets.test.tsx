import { describe, expect, test, vi } from "vitest";
import { queryState, settled, shown } from "../../dev/scripted-kernel.ts";
import { Presets } from "../../src/class-table/presets.tsx";
import { tunerState } from "../../src/class-table/tuner-state.ts";
import type { Store } from "../../src/session/store.ts";
import { mounted, press } from "./mounted.tsx";

const WEIGHTS = { weights: { 5: 20, 4: 8, 3: 6 } };
const Panel = ({ store }: { store: Store }) => <Presets store={store} disabled={false} />;

describe("presets", () => {
  test("a preset is asked of the kernel, keeps locked weights and names its paper", async () => {
    const { find, store, model } = await mounted(WEIGHTS, Panel);
    tunerState(store).toggleLock("contains(labels, 'Ring')");
    find("[data-testid=preset-effective_number]").click();
    const asked = model.sent.at(-1);
    expect(asked?.op).toBe("clause.preset");
    expect(asked?.args).toMatchObject({ preset: "effective_number", parameter: 0.999 });
    const { query, buffers } = queryState({ weights: { 5: 30, 4: 3, 3: 2 } });
    model.reply(asked?.id ?? "", { text: query.text, reference: "Cui et al., 2019" });
    await settled();
    model.reply(model.sent.at(-1)?.id ?? "", { ...shown(query), history: [] }, buffers);
    await settled();
    expect([...store.weights.value]).toEqual([2, 8, 30, 1]);
    expect(find("[data-testid=preset-note]").textContent).toContain("Cui et al., 2019");
    expect(find("[data-testid=preset-effective_number]").getAttribute("aria-pressed")).toBe("true");
  });

  test("without a kernel presets act on the sliders at hand", async () => {
    const { find, store } = await mounted(WEIGHTS, Panel);
    store.link.value = "static";
    await settled();
    find("[data-testid=preset-square_root]").click();
    await settled();
    const circles = 412; // instances of the commonest class
    const counts = [54, 31, 12];
    const told = counts.map((n) => Number(Math.sqrt(circles / n).toPrecision(3)));
    expect([...store.weights.value]).toEqual([...told, 1]);
  });
});

test("target shares that cannot be met say why", async () => {
  const { find, model } = await mounted(WEIGHTS, Panel);
  find("[data-testid=target-shares]").click();
  await vi.waitFor(() => find("[data-testid=target-percent]"));
  press(find("[data-testid=target-percent]"), "Enter");
  const asked = model.sent.at(-1);
  expect(asked?.op).toBe("targets.solve");
  const targets = asked?.args.targets as { class_index: number }[] | undefined;
  expect(targets?.map((target) => target.class_index)).toEqual([3, 4, 5]);
  model.refuse(asked?.id ?? "", { code: "InfeasibleTargetsError", message: "no row has both Cross and Star" });
  await settled();
  expect(find("[data-testid=targets-reason]").textContent).toBe("no row has both Cross and Star");
});
