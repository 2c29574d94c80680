// One undo for everything one does to weights.
import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeKernel } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { splitSampling } from "../src/session/live-text.ts";
import { createSession, type Session } from "../src/session/session.ts";
import { WeightHistory } from "../src/session/weight-history.ts";

const open: Session[] = [];
afterEach(() => {
  for (const session of open.splice(0)) session.dispose();
  vi.useRealTimers();
});

async function opened(): Promise<{ session: Session; model: FakeModel; kernel: FakeKernel }> {
  const kernel = new FakeKernel();
  const model = new FakeModel({ query: "select *" });
  model.onSend = async ({ op, id, args }) => {
    if (op === "cancel") return;
    const { result, buffers } = await kernel.answer(op, args);
    model.reply(id, result, buffers);
  };
  const session = createSession(model);
  open.push(session);
  session.start();
  await vi.waitFor(() => expect(session.store.link.value).toBe("live"));
  return { session, model, kernel };
}

const CROSS = 5;
const weightsOf = ({ store }: Session) =>
  Object.fromEntries(store.clauses.value.map(({ label, weight }) => [label, weight]));

describe("undo", () => {
  it("takes a clause back that a ghost slider made, with the moves that followed", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    await actions.addClass(CROSS, 2);
    actions.setWeight(0, 5);
    actions.setWeight(0, 20);
    expect(weightsOf(session).Cross).toBe(20);
    expect(await actions.undoWeights()).toBe(true);
    expect(store.text.value).toBe("select *");
    expect(store.toast.value).toMatchObject({ text: "Undid: Cross 1 → 20", redo: true, of: "weights" });
    expect(await actions.redoWeights()).toBe(true);
    expect(weightsOf(session).Cross).toBe(20);
    expect(store.toast.value).toMatchObject({ text: "Redid: Cross 1 → 20", undo: true });
  });

  it("goes through a preset, a number and a clause that was removed, in order", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    await actions.preset("balanced");
    const balanced = store.text.value;
    actions.setWeight(0, 3);
    const moved = store.text.value;
    await actions.removeClause(0);
    expect(await actions.undoWeights()).toBe(true);
    expect(store.text.value).toBe(moved);
    expect(store.toast.value?.text).toMatch(/^Undid: removed /);
    await actions.undoWeights();
    expect(store.text.value).toBe(balanced);
    await actions.undoWeights();
    expect(store.text.value).toBe("select *");
    expect(store.toast.value?.text).toBe("Undid: balanced");
    expect(await actions.undoWeights()).toBe(false);
    for (const text of [balanced, moved]) {
      await actions.redoWeights();
      expect(store.text.value).toBe(text);
    }
  });

  it("leaves the pool as it is now", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    await actions.addClass(CROSS, 20);
    const { sampling } = splitSampling(store.text.value);
    await actions.run({ text: `select * where contains(labels, 'Ring') ${sampling}` });
    expect(await actions.undoWeights()).toBe(true);
    expect(store.text.value).toBe("select * where contains(labels, 'Ring')");
  });

  it("is no step where a run changed the pool alone", async () => {
    const { session } = await opened();
    await session.store.actions.run({ text: "select * where contains(labels, 'Ring')" });
    expect(await session.store.actions.undoWeights()).toBe(false);
  });

  it("takes back weights that a run by hand changed", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    await actions.addClass(CROSS, 20);
    const before = store.text.value;
    await actions.run({ text: before.replace(": 20", ": 7") });
    await actions.undoWeights();
    expect(store.text.value).toBe(before);
    expect(store.toast.value?.text).toBe("Undid: Cross 20 → 7");
  });

  it("takes steps one after the other, however fast the keys come", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    await actions.addClass(CROSS, 20);
    await actions.preset("balanced");
    expect(await Promise.all([actions.undoWeights(), actions.undoWeights(), actions.undoWeights()])).toEqual([
      true,
      true,
      false,
    ]);
    expect(store.text.value).toBe("select *");
  });

  it("brings back every digit of a weight", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    const exact = "select * sample by max_weight(contains(labels, 'Cross'): 6.66667, True: 1)";
    await actions.run({ text: exact });
    actions.setWeight(0, 3);
    await actions.undoWeights();
    expect(store.text.value).toBe(exact);
  });

  it("works on numbers without a kernel, and says what needs one", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    await actions.addClass(CROSS, 20);
    await new Promise((resolve) => setTimeout(resolve, 850)); // another gesture
    actions.setWeight(0, 3);
    store.link.value = "dead";
    expect(await actions.undoWeights()).toBe(true);
    expect(weightsOf(session).Cross).toBe(20);
    expect(await actions.undoWeights()).toBe(false);
    expect(store.toast.value?.text).toBe("This step needs a running kernel");
  });

  it("waits where the text has changed and has not run", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    await actions.addClass(CROSS, 20);
    session.query.edit(`${store.text.value} limit 5`, (at) => at, true);
    expect(await actions.undoWeights()).toBe(false);
    expect(store.toast.value?.text).toMatch(/^Run the query first/);
  });

  it("forgets what was undone once something else is done", async () => {
    const { session } = await opened();
    const { actions } = session.store;
    await actions.preset("balanced");
    await actions.undoWeights();
    await actions.addClass(CROSS, 3);
    expect(await actions.redoWeights()).toBe(false);
  });

  it("takes reset all back", async () => {
    const { session } = await opened();
    const { store } = session;
    const { actions } = store;
    await actions.preset("balanced");
    const balanced = store.text.value;
    await actions.resetWeights();
    expect(store.text.value).toBe("select *");
    await actions.undoWeights();
    expect(store.text.value).toBe(balanced);
  });
});

describe("a table of class weights", () => {
  const TABLE = "select * sample by max_weight(classes(labels, $balanced), True: 1)";

  async function withTable() {
    const found = await opened();
    const { store } = found.session;
    const clause = (label: string, class_index: number | null, weight: number) => ({
      ...{ expression: label, label, class_index, weight, from: null, to: null },
      table: class_index === null ? null : "balanced",
    });
    store.text.value = TABLE;
    store.clauses.value = [clause("Ring", 4, 2), clause("Cross", CROSS, 8), clause("everything else", null, 1)];
    store.weights.value = Float64Array.of(2, 8, 1);
    return found;
  }

  it("is moved by a slider, and the text stays", async () => {
    const { session } = await withTable();
    const { store } = session;
    const { actions } = store;
    actions.setWeight(1, 40.123);
    expect([store.text.value, [...store.weights.value]]).toEqual([TABLE, [2, 40.1, 1]]);
    actions.setWeight(2, 5); // no literal and no table: no slider
    expect([...store.weights.value]).toEqual([2, 40.1, 1]);
  });

  it("has a weight for every class: a class that is taken out of it weighs 1", async () => {
    const { session, kernel } = await withTable();
    await session.store.actions.removeClause(1);
    expect([session.store.text.value, [...session.store.weights.value]]).toEqual([TABLE, [2, 1, 1]]);
    expect(kernel.log.some(({ op }) => op === "clause.remove")).toBe(false);
  });

  it("is taken back without a run", async () => {
    const { session, kernel } = await withTable();
    const { store } = session;
    const { actions } = store;
    const runs = () => kernel.log.filter(({ op }) => op === "query.run").length;
    const before = runs();
    actions.setWeights([1, 1, 1], "solo Ring");
    expect([...store.weights.value]).toEqual([1, 1, 1]);
    await actions.undoWeights();
    expect([[...store.weights.value], runs()]).toEqual([[2, 8, 1], before]);
    expect(store.toast.value?.text).toBe("Undid: solo Ring");
  });
});

describe("a query in two", () => {
  it.each([
    ["select *", "select *", ""],
    ["select * sample by max_weight(True: 1) limit 5", "select * ", "sample by max_weight(True: 1) limit 5"],
    ["select * where a = 'sample by x' SAMPLE  BY 1", "select * where a = 'sample by x' ", "SAMPLE  BY 1"],
    ["select * from (select * sample by 1) where a", "select * from (select * sample by 1) where a", ""],
    ["select * -- sample by 1\n sample by 2", "select * -- sample by 1\n ", "sample by 2"],
    ['select "sample by" sample by 2', 'select "sample by" ', "sample by 2"],
    ["select * /* ( */ sample by 2", "select * /* ( */ ", "sample by 2"],
    ["select * where a = 'it''s sample by' sample by 2", "select * where a = 'it''s sample by' ", "sample by 2"],
  ])("%s", (text, pool, sampling) => {
    expect(splitSampling(text)).toEqual({ pool, sampling });
  });
});

describe("texts that are rewritten at once", () => {
  it("are rewritten one after the other, each from what the one before has left", async () => {
    const { session } = await opened();
    const { actions } = session.store;
    await Promise.all([actions.addClass(CROSS, 7), actions.addClass(1, 3)]);
    expect(Object.values(weightsOf(session)).sort()).toEqual([1, 3, 7]);
  });

  it("are not brought back by a run meanwhile", async () => {
    const { session } = await opened();
    const { store } = session;
    await store.actions.addClass(CROSS, 7);
    const undone = store.actions.undoWeights();
    await Promise.resolve(); // its query is on its way
    await Promise.all([undone, store.actions.run()]);
    expect(store.text.value).toBe("select *");
    expect(store.textFault.value).toBeNull();
  });
});

describe("a page that is loaded again", () => {
  it("takes back and does again what the page before did", async () => {
    const { session, model, kernel } = await opened();
    const { actions } = session.store;
    await actions.addClass(CROSS, 20);
    await vi.waitFor(() => expect(model.sent.some(({ op }) => op === "weights.keep")).toBe(true));
    const steps = model.sent.findLast(({ op }) => op === "weights.keep")?.args.steps;
    session.dispose();
    const again = new FakeModel({ query: "select *" });
    again.onSend = async ({ op, id, args }) => {
      if (op === "cancel") return;
      const { result, buffers } = await kernel.answer(op, args);
      again.reply(id, op === "hello" ? { ...(result as object), weight_steps: steps } : result, buffers);
    };
    const reloaded = createSession(again);
    open.push(reloaded);
    reloaded.start();
    await vi.waitFor(() => expect(reloaded.store.link.value).toBe("live"));
    expect(reloaded.store.clauses.value.map(({ label }) => label)).toContain("Cross");
    expect(await reloaded.store.actions.undoWeights()).toBe(true);
    expect(reloaded.store.text.value).toBe("select *");
    expect(await reloaded.store.actions.redoWeights()).toBe(true);
    expect(weightsOf(reloaded).Cross).toBe(20);
  });

  it.each(["", "null", "[[{}], []]", '[[{"name":null,"state":{"weights":[1],"clauses":[]}}],[]]'])(
    "has nothing to take back where %s was kept",
    (text) => {
      const history = new WeightHistory();
      history.restore(text);
      const now = { sampling: "", frame: "", weights: new Float64Array(), clauses: [] };
      expect(history.undo(now)).toBeNull();
    },
  );

  it("keeps the last steps that fit", () => {
    const history = new WeightHistory();
    const clauses = [{ expression: "x".repeat(5000), label: "x" }];
    for (let i = 0; i < 40; i++)
      history.remember({ sampling: `${i}`, frame: `${i}`, weights: Float64Array.of(i), clauses }, { name: null });
    const [past] = JSON.parse(history.kept()) as [{ state: { sampling: string } }[]];
    expect(history.kept().length).toBeLessThan(100_000);
    expect(past.map(({ state }) => state.sampling)).toEqual(Array.from({ length: 16 }, (_, i) => `${24 + i}`));
  });
});
