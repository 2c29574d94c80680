// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { noticeOf } from "../src/explorer/header-notice.tsx";
import { createSession, type Session } from "../src/session/session.ts";

const WEIGHTED = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)";

/** A session on a scripted kernel; with `mute` the kernel never answers. */
function setUp({ mute = false, query = "select *" } = {}) {
  const model = new FakeModel({ query });
  const kernel = new FakeKernel({ numSamples: 60 });
  const state = { mute };
  model.onSend = ({ op, id, args }) => {
    if (state.mute || op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => model.reply(id, result, buffers),
      (error) => model.refuse(id, error),
    );
  };
  return { model, kernel, state, session: createSession(model) };
}

const ops = (model: FakeModel): string[] => model.sent.map(({ op }) => op);
const tick = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function weighted(): Promise<ReturnType<typeof setUp>> {
  const all = setUp();
  all.session.start();
  await tick();
  await all.session.store.actions.run({ text: WEIGHTED });
  return all;
}

describe("session", () => {
  let open: Session | null = null;
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    open?.dispose();
    open = null;
    vi.useRealTimers();
  });

  it("is live after hello, with dataset, query and statistics", async () => {
    const { session } = setUp();
    open = session;
    session.start();
    expect(session.store.link.value).toBe("connecting");
    await tick();
    expect(session.store.link.value).toBe("live");
    expect(session.store.dataset.value?.num_samples).toBe(60);
    expect(session.store.statistics.value?.sizes.reduce((a, b) => a + b)).toBe(60);
    expect(session.store.gridSize.value).toBe(60);
  });

  it("says hello again after 2 s, and after 5 s that the kernel does not answer", async () => {
    const { model, session } = setUp({ mute: true });
    open = session;
    session.start();
    await tick(1900);
    expect(ops(model)).toEqual(["hello"]);
    await tick(200);
    expect(ops(model)).toEqual(["hello", "hello"]);
    expect(session.store.link.value).toBe("connecting");
    await tick(3000);
    expect(session.store.link.value).toBe("dead");
  });

  it("comes alive when a late hello is answered", async () => {
    const { model, kernel, session } = setUp({ mute: true });
    open = session;
    session.start();
    await tick(6000);
    const { result, buffers } = await kernel.answer("hello", {});
    model.reply(model.sent[0]?.id ?? "", result, buffers);
    await tick();
    expect(session.store.link.value).toBe("live");
  });

  it("is dead at once when sending throws, and greets again when the comm comes back", async () => {
    const { model, session } = setUp();
    open = session;
    const answering = model.onSend;
    model.onSend = () => {
      throw new Error("Cannot send");
    };
    session.start();
    await tick();
    expect(session.store.link.value).toBe("dead");
    model.onSend = answering;
    model.emit("comm_live_update");
    await tick();
    expect(session.store.link.value).toBe("live");
  });

  it.each([
    ["an edit", (session: Session) => session.edits.apply("edit.bulk", { add: [], remove: [], replace: [] })],
    ["a commit", (session: Session) => session.edits.commit("crosses")],
  ])("ends %s that a kernel never answered once the next message finds no kernel", async (_, change) => {
    const { model, state, session } = setUp();
    open = session;
    session.start();
    await tick();
    state.mute = true;
    const changed = change(session);
    await tick();
    model.onSend = () => {
      throw new Error("Cannot send");
    };
    model.emit("comm_live_update");
    expect(await changed).toBeNull();
    expect(session.store.link.value).toBe("dead");
    expect(noticeOf(session.store)?.more).toContain("Check your last change: it was not confirmed");
  });

  it("writes nothing into the model before hello was answered", async () => {
    const { model, session } = setUp({ mute: true });
    open = session;
    session.start();
    session.store.text.value = "select * limit 1";
    session.store.actions.setUnit("samples");
    await tick(2000);
    expect(model.saves).toBe(0);
    expect(session.store.unit.value).toBe("samples");
  });

  it("keeps the draft 500 ms after the last letter", async () => {
    const { model, session } = setUp();
    open = session;
    session.start();
    await tick();
    session.query.edit("select * l", (position) => position, true);
    await tick(499);
    expect(model.get("query_draft")).toBeUndefined();
    await tick(2);
    expect(model.get("query_draft")).toBe("select * l");
  });

  it("keeps no draft of what ran, nor of weights that moved since", async () => {
    const { model, session } = await weighted();
    open = session;
    session.query.edit(`${WEIGHTED} l`, (position) => position, true);
    await tick(501);
    expect(model.get("query_draft")).toBe(`${WEIGHTED} l`);
    await session.store.actions.run({ text: WEIGHTED });
    session.store.actions.setWeight(0, 5);
    await tick(501);
    expect(model.get("query_draft")).toBe("");
  });

  it("moves a slider at once and tells the kernel once, at rest", async () => {
    const { model, session } = await weighted();
    open = session;
    const sent = model.sent.length;
    for (const value of [3, 4, 5]) session.store.actions.setWeight(0, value);
    expect(Array.from(session.store.weights.value)).toEqual([5, 1]);
    expect(session.store.text.value).toContain("'Cross'): 5, True: 1)");
    expect(model.sent).toHaveLength(sent);
    await tick(60);
    expect(model.sent.slice(sent).map(({ op }) => op)).toEqual(["weights.set"]);
    expect(model.sent.at(-1)?.args).toMatchObject({ weights: [5, 1], text: session.store.text.value });
  });

  it("keeps the sliders moving without a kernel", async () => {
    const { state, session } = await weighted();
    open = session;
    state.mute = true;
    session.store.link.value = "dead";
    session.store.actions.setWeight(1, 0.5);
    await tick(60);
    expect(Array.from(session.store.weights.value)).toEqual([20, 0.5]);
  });

  it("takes a gesture back as one", async () => {
    const { session } = await weighted();
    open = session;
    const { actions, dragging, weights } = session.store;
    actions.setWeight(0, 10);
    dragging.value = true;
    for (const value of [5, 2]) actions.setWeight(0, value);
    dragging.value = false;
    expect(await actions.undoWeights()).toBe(true);
    expect(Array.from(weights.value)).toEqual([20, 1]);
    expect(await actions.redoWeights()).toBe(true);
    expect(Array.from(weights.value)).toEqual([2, 1]);
    await actions.undoWeights();
    expect(await actions.undoWeights()).toBe(true); // to before the query that ran
    expect(session.store.text.value).toBe("select *");
    expect(await actions.undoWeights()).toBe(false);
  });

  it("stops the sliders while the text has another structure, and lets them go on when it is back", async () => {
    const { session } = await weighted();
    open = session;
    session.query.edit(`${WEIGHTED} limit 5`, (position) => position, true);
    expect(session.store.textFault.value).not.toBeNull();
    session.store.actions.setWeight(0, 3);
    expect(session.store.weights.value[0]).toBe(20);
    session.query.edit(WEIGHTED, (position) => position, true);
    expect(session.store.textFault.value).toBeNull();
  });

  it("shows an unknown class where it stands and disables the sliders with the reason", async () => {
    const { session } = await weighted();
    open = session;
    const text = WEIGHTED.replace("Cross", "Crss");
    session.query.edit(text, (position) => position, true);
    const [found] = await session.query.lint(text);
    expect(text.slice(found?.from, found?.to)).toBe("'Crss'");
    expect(found?.fix).toBe("'Circle'");
    expect(session.store.textFault.value).toContain("no class 'Crss'");
  });

  it("keeps what was typed while a query ran", async () => {
    const { session } = setUp();
    open = session;
    session.start();
    await tick();
    const running = session.store.actions.run({ text: WEIGHTED });
    session.query.edit("select * limit 7", (position) => position, true);
    await running;
    expect(session.store.query.value?.text).toBe(WEIGHTED);
    expect(session.store.text.value).toBe("select * limit 7");
    expect(session.store.textFault.value).not.toBeNull();
  });

  it("keeps the grid's tiles when only the sampling changed", async () => {
    const { session } = setUp();
    open = session;
    session.start();
    await tick();
    const epoch = session.store.gridEpoch.value;
    session.store.current.value = 7;
    await session.store.actions.run({ text: WEIGHTED });
    expect(session.store.gridEpoch.value).toBe(epoch);
    expect(session.store.current.value).toBe(7);
    await session.store.actions.run({ text: "select * where contains(labels, 'Square')" });
    expect(session.store.gridEpoch.value).toBe(epoch + 1);
    expect(session.store.current.value).toBe(0);
  });

  it("takes weights set in Python, but not during a drag", async () => {
    const { model, session } = await weighted();
    open = session;
    const set = (values: number[]): void => model.set("weights", new DataView(Float64Array.from(values).buffer));
    session.store.dragging.value = true;
    set([7, 7]);
    expect(session.store.weights.value[0]).toBe(20);
    session.store.dragging.value = false;
    set([7, 2]);
    expect(session.store.text.value).toContain("'Cross'): 7, True: 2)");
  });

  it("ignores the echo of its own weights when a slider has moved on", async () => {
    const { model, session } = await weighted();
    open = session;
    const set = (values: number[]): void => model.set("weights", new DataView(Float64Array.from(values).buffer));
    session.store.actions.setWeight(0, 5);
    await tick(60);
    session.store.actions.setWeight(0, 6);
    set([5, 1]);
    expect(session.store.weights.value[0]).toBe(6);
    await tick(60);
    set([5, 1]);
    expect(session.store.weights.value[0]).toBe(6);
    set([6, 1]);
    set([5, 1]);
    expect(session.store.weights.value[0]).toBe(5);
  });

  const another = (session: Session): object => ({
    query: { ...session.store.query.value, text: "select * limit 3", clauses: [], pool_size: 3, statistics: null },
    dataset: session.store.dataset.value,
    grid: { ...session.store.grid.value, token: "x" },
  });

  it("takes a query that ran elsewhere from an event", async () => {
    const { model, session } = await weighted();
    open = session;
    model.emit("msg:custom", { v: 1, event: "query", ...another(session) }, []);
    expect(session.store.text.value).toBe("select * limit 3");
    expect(session.store.announcement.value).toContain("elsewhere");
  });

  it("takes a query that another view of the widget ran from the reply to that view", async () => {
    const { model, session } = await weighted();
    open = session;
    const result = another(session);
    model.emit("msg:custom", { v: 1, id: "0123456789abcdef:1", ok: true, result }, []);
    expect(session.store.text.value).toBe(WEIGHTED);
    model.emit("msg:custom", { v: 1, id: "0123456789abcdef:2", ok: true, result, news: "query" }, []);
    expect(session.store.text.value).toBe("select * limit 3");
  });

  it("shows a query whose answer came after it was cancelled: the kernel shows it too", async () => {
    const { model, state, session } = await weighted();
    open = session;
    state.mute = true;
    const running = session.store.actions.run({ text: "select * limit 3" });
    const id = model.sent.at(-1)?.id;
    session.query.cancelRun();
    await running;
    model.emit("msg:custom", { v: 1, id, ok: true, result: another(session), news: "query" }, []);
    expect(session.store.query.value?.text).toBe("select * limit 3");
  });

  it("shows no query that a newer one has replaced", async () => {
    const { model, state, session } = await weighted();
    open = session;
    state.mute = true;
    const first = session.store.actions.run({ text: "select * limit 3" });
    const id = model.sent.at(-1)?.id;
    void session.store.actions.run({ text: "select * limit 4" });
    await first;
    model.emit("msg:custom", { v: 1, id, ok: true, result: another(session), news: "query" }, []);
    expect(session.store.query.value?.text).toBe(WEIGHTED);
  });

  it("keeps a slider that moved while an edit was on its way, and takes the edit when the slider rests", async () => {
    const { model, state, session } = await weighted();
    open = session;
    state.mute = true;
    const edit = session.edits.apply("edit.undo", {});
    const asked = model.sent.at(-1)?.id ?? "";
    const result = { ...another(session), query: session.store.query.value, sample: null, done: "undone" };
    session.store.actions.setWeight(0, 3);
    await tick(60); // weights.set is sent and not answered
    model.reply(asked, { ...result, dataset: { ...session.store.dataset.value, num_edits: 4 } });
    await edit;
    expect(Array.from(session.store.weights.value)).toEqual([3, 1]);
    expect(session.store.toast.value?.text).toBe("undone");
    state.mute = false;
    model.reply(model.sent.filter(({ op }) => op === "weights.set").at(-1)?.id ?? "", {});
    await tick(200);
    expect(
      ops(model)
        .filter((op) => op !== "weights.keep")
        .at(-1),
    ).toBe("hello");
  });

  it("keeps a draft when its own edit is answered after a slider moved", async () => {
    const { session } = await weighted();
    open = session;
    session.store.actions.setWeight(0, 3);
    await tick(60);
    const draft = `${session.store.text.value} limit 5`;
    session.query.edit(draft, (position) => position, true);
    await session.detail.change({ labels: [5], boxes: [1, 2, 30, 40], sources: [-1] });
    expect(session.store.text.value).toBe(draft);
    expect(session.store.announcement.value).not.toContain("elsewhere");
  });

  it("shows an edit's reply as the new truth, names it, and undoes it", async () => {
    const { session } = setUp();
    open = session;
    session.start();
    await tick();
    const before = session.detail.sample.value;
    await session.detail.change({ labels: [5], boxes: [1, 2, 30, 40], sources: [-1] });
    expect(session.detail.sample.value).toMatchObject({
      uid: before?.uid,
      labels: [5],
      before: { labels: before?.labels },
    });
    expect(session.store.dataset.value?.num_edits).toBe(1);
    expect(session.store.toast.value).toMatchObject({ text: "changed the labels of sample 0", undo: true });
    await session.store.actions.undo();
    await tick();
    expect(session.detail.sample.value?.labels).toEqual(before?.labels);
    expect(session.store.toast.value?.redo).toBe(true);
  });

  /** A session on the first sample, and the edits that were sent, which wait until `answer` is called. */
  async function editing() {
    const { model, kernel, session } = setUp();
    open = session;
    session.start();
    await tick();
    const waiting: (() => void)[] = [];
    const answered = model.onSend;
    model.onSend = (message) => {
      if (message.op === "edit.labels") waiting.push(() => answered?.(message));
      else answered?.(message);
    };
    const sent = () => model.sent.filter(({ op }) => op.startsWith("edit.")).map(({ op, args }) => ({ op, ...args }));
    const answer = async () => {
      waiting.shift()?.();
      await tick();
    };
    return { session, model, kernel, sent, answer, uid: session.detail.sample.value?.uid };
  }

  const labeled = (label: number) => ({ labels: [label], boxes: [1, 2, 30, 40], sources: [-1] });

  it("sends an edit whose keys have not come to rest before it shows another sample", async () => {
    const { session, sent, uid } = await editing();
    session.detail.saveSoon(() => void session.detail.change(labeled(5)));
    session.store.current.value = 1;
    await tick(1000);
    expect(sent()).toMatchObject([{ op: "edit.labels", uid, labels: [5] }]);
    expect(session.detail.sample.value?.uid).not.toBe(uid);
  });

  it("undoes and commits after the edits before it, at rest or not", async () => {
    const { session, sent, answer } = await editing();
    session.detail.saveSoon(() => void session.detail.change(labeled(5)));
    const undone = session.store.actions.undo();
    await tick();
    expect(sent().map(({ op }) => op)).toEqual(["edit.labels"]);
    await answer();
    await undone;
    expect(sent().map(({ op }) => op)).toEqual(["edit.labels", "edit.undo"]);
    void session.detail.change(labeled(4));
    const committed = session.edits.commit("fixed");
    await answer();
    await committed;
    expect(sent().map(({ op }) => op)).toEqual(["edit.labels", "edit.undo", "edit.labels", "edit.commit"]);
  });

  it("sends an edit made during another one with the state that the other one left", async () => {
    const { session, sent, answer } = await editing();
    const was = session.detail.sample.value?.state;
    const both = [session.detail.change(labeled(5)), session.detail.change(labeled(4))];
    await tick();
    expect(sent()).toMatchObject([{ labels: [5], state: was }]);
    await answer();
    const left = session.detail.sample.value?.state;
    expect(left).not.toBe(was);
    await answer();
    expect(await Promise.all(both)).toEqual([true, true]);
    expect(sent()).toMatchObject([
      { labels: [5], state: was },
      { labels: [4], state: left },
    ]);
    expect(session.detail.restless.value).toBe(false);
  });

  it("does not send an edit made on top of one that is refused", async () => {
    const { session, model, sent } = await editing();
    const both = [session.detail.change(labeled(5)), session.detail.change(labeled(4))];
    const first = model.sent.find(({ op }) => op === "edit.labels");
    model.refuse(first?.id ?? "", { code: "OutdatedError", message: "sample 0 has changed" });
    expect(await Promise.all(both)).toEqual([false, false]);
    expect(sent()).toHaveLength(1);
  });

  it("makes a chip's edit from the sample that the edits before it left", async () => {
    const { session, sent, answer } = await editing();
    session.detail.saveSoon(() => void session.detail.change(labeled(5)));
    const done = session.detail.edit((now) => ({ ...labeled(4), labels: [...now.labels, 4] }));
    await answer();
    await answer();
    expect(await done).toBe(true);
    expect(sent()).toMatchObject([{ labels: [5] }, { labels: [5, 4] }]);
  });

  it("tells of a refused edit in a line that stays, not in the query's text", async () => {
    const { model, session } = await weighted();
    open = session;
    const found = vi.fn();
    session.query.onDiagnostics = found;
    model.onSend = ({ id, op }) => {
      if (op === "edit.commit")
        model.refuse(id, { code: "CommitConflictError", message: "another writer committed", hint: "reload" });
    };
    expect(await session.edits.apply("edit.commit", { message: "x" })).toBeNull();
    await tick(60_000);
    expect(session.store.toast.value).toMatchObject({ text: "another writer committed. reload", bad: true });
    expect(found).not.toHaveBeenCalled();
  });

  const fromPython = (session: Session, more: object = {}): object => ({
    v: 1,
    event: "query",
    query: session.store.query.value,
    dataset: session.store.dataset.value,
    grid: { ...session.store.grid.value, data: "later" },
    ...more,
  });

  it("keeps what is being typed when the data changes under it", async () => {
    const { model, session } = await weighted();
    open = session;
    session.query.edit(`${WEIGHTED} limit 5`, (position) => position, true);
    model.emit("msg:custom", fromPython(session), []);
    expect(session.store.text.value).toBe(`${WEIGHTED} limit 5`);
    expect(session.store.textFault.value).not.toBeNull();
  });

  it("lets no news from Python take a slider back, and takes the news when the slider rests", async () => {
    const { model, session } = await weighted();
    open = session;
    session.store.dragging.value = true;
    session.store.actions.setWeight(0, 3);
    model.emit("msg:custom", fromPython(session), []);
    expect(Array.from(session.store.weights.value)).toEqual([3, 1]);
    const asked = ops(model).filter((op) => op === "hello").length;
    session.store.dragging.value = false;
    await tick(200);
    expect(ops(model).filter((op) => op === "hello")).toHaveLength(asked + 1);
  });

  it("stays on the sample on show when rows before it go", async () => {
    const { model, kernel, session } = setUp();
    open = session;
    session.start();
    await tick();
    session.store.current.value = 7;
    await tick();
    const uid = session.detail.sample.value?.uid;
    kernel.answer = async (op, args) =>
      op === "sample.get"
        ? { result: { sample: { ...session.detail.sample.value, uid: args.uid ?? "other", position: 6 } }, buffers: [] }
        : { result: { tiles: [], pool_size: 59, token: "later" }, buffers: [] };
    const grid = { ...session.store.grid.value, token: "later", size: 59 };
    model.emit("msg:custom", fromPython(session, { grid }), []);
    await tick();
    expect(session.detail.sample.value?.uid).toBe(uid);
    expect(session.store.current.value).toBe(6);
  });

  it("takes a running query back", async () => {
    const { model, state, session } = await weighted();
    open = session;
    state.mute = true;
    const running = session.store.actions.run({ text: "select *" });
    expect(session.store.busy.value).not.toBeNull();
    session.query.cancelRun();
    await running;
    expect(ops(model).at(-1)).toBe("cancel");
    expect(session.store.busy.value).toBeNull();
    expect(session.store.query.value?.text).toBe(WEIGHTED);
    expect(session.store.toast.value).toBeNull();
  });

  it("leaves no listener and no request behind", async () => {
    const { model, session } = await weighted();
    session.store.actions.setWeight(0, 9);
    session.dispose();
    expect(ops(model).at(-1)).toBe("cancel");
    const sent = model.sent.length;
    model.emit("comm_live_update");
    model.set("mode", "once");
    await tick(10_000);
    expect(model.sent).toHaveLength(sent);
    expect(session.store.mode.value).toBe("deck");
  });
});
