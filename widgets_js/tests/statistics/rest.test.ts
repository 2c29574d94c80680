// @vitest-environment node
// Bands that cost a millisecond each wait until the slider rests.
import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { statisticsOf } from "../../dev/strata.ts";
import type { Store } from "../../src/session/store.ts";
import { chartsOf } from "../../src/statistics/charts.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Classes that come ten at a time in 97 of 100 rows; of five draws, the fewest that 97.5 % of epochs hold is 40. */
function storeOf(numClasses: number): Store {
  const classes = Object.fromEntries(
    Array.from({ length: numClasses }, (_, c) => [c, [97, 970, 9700] as [number, number, number]]),
  );
  const statistics = {
    ...statisticsOf([{ size: 100, clauses: [0], classes }], 1, numClasses),
    values: { offsets: new Int32Array(numClasses + 1), counts: new Int32Array(0), rows: new Float64Array(0) },
  };
  const store = {
    statistics: signal(statistics),
    query: signal({ kind: "sample", cap: null, draws: 5, has_sampling: true }),
    weights: signal(Float64Array.of(1)),
    combine: signal("max"),
    mode: signal("iid"),
    unit: signal("instances"),
  };
  return store as unknown as Store;
}

test("few classes have their exact bands at once", () => {
  expect(chartsOf(storeOf(3)).histogram.value?.low[2]).toBe(40);
});

test("many have them once the plan rests, and the mean and variance's bands until then", () => {
  const store = storeOf(20);
  const { histogram } = chartsOf(store);
  const seen: number[] = [];
  const stop = histogram.subscribe((bars) => seen.push(bars?.low[0] as number));
  expect(seen.at(-1)).not.toBe(40);
  vi.advanceTimersByTime(60);
  store.weights.value = Float64Array.of(2); // the slider moves on
  vi.advanceTimersByTime(100);
  expect(seen.at(-1)).not.toBe(40);
  vi.advanceTimersByTime(60);
  expect(seen.at(-1)).toBe(40);
  stop();
});
