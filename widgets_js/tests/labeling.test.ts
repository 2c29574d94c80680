// Keys of classes, edits in their order, keys typed ahead, samples kept: what labeling fast rests on.
import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel, type FakeOptions } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { ClassKeys } from "../src/session/class-keys.ts";
import { EditQueue } from "../src/session/edit-queue.ts";
import { createSession, type Session } from "../src/session/session.ts";
import { TypeAhead } from "../src/session/type-ahead.ts";

const tick = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const names = (count: number) => signal(Array.from({ length: count }, (_, i) => `c${i}`));

describe("class keys", () => {
  it("are the classes in their order where there are nine or fewer, whichever is used", () => {
    const keys = new ClassKeys(names(6));
    keys.use(4);
    keys.use(2);
    expect(keys.classes.value).toEqual([0, 1, 2, 3, 4, 5]);
    expect(keys.recent.value).toEqual([2, 4]);
  });

  it("go to classes used lately, each keeping its key", () => {
    const keys = new ClassKeys(names(80));
    keys.use(40);
    keys.use(50);
    expect(keys.classes.value.slice(0, 3)).toEqual([40, 50, 2]);
    keys.use(40);
    keys.use(60);
    expect(keys.classes.value.slice(0, 3)).toEqual([40, 50, 60]);
    expect(keys.recent.value).toEqual([40, 50, 60]);
  });

  it("take the key that was used longest ago when all nine are", () => {
    const keys = new ClassKeys(names(80));
    for (let index = 20; index < 29; index++) keys.use(index);
    keys.use(20);
    keys.use(70);
    expect(keys.classes.value).toEqual([20, 70, 22, 23, 24, 25, 26, 27, 28]);
  });

  it("follow a class by its name when others go", () => {
    const all = names(80);
    const keys = new ClassKeys(all);
    keys.use(40);
    all.value = all.value.filter((name) => name !== "c3");
    expect(keys.classes.value[0]).toBe(39);
    expect(new Set(keys.classes.value).size).toBe(9);
  });

  it("name no class twice", () => {
    const keys = new ClassKeys(names(12));
    for (const index of [11, 3, 0, 10, 3, 9]) keys.use(index);
    expect(new Set(keys.classes.value).size).toBe(9);
  });
});

describe("edits on their way", () => {
  it("go one after another, each in the state the one before left", async () => {
    const queue = new EditQueue();
    const sent: string[] = [];
    const send = (name: string) => async (state: string) => {
      sent.push(`${name} on ${state}`);
      await tick();
      return `${name}!`;
    };
    const all = [
      queue.push("a", "0", send("one")),
      queue.push("b", "0", send("other")),
      queue.push("a", "0", send("two")),
    ];
    expect(await Promise.all(all)).toEqual([true, true, true]);
    expect(sent).toEqual(["one on 0", "other on 0", "two on one!"]);
    expect(queue.waiting.value).toBe(0);
  });

  it("of one sample are dropped after a refusal, those of others are not", async () => {
    const queue = new EditQueue();
    const sent: string[] = [];
    const send = (name: string, left: string | null) => async () => {
      sent.push(name);
      await tick();
      return left;
    };
    const all = [
      queue.push("a", "0", send("refused", null)),
      queue.push("a", "0", send("on top of it", "1")),
      queue.push("b", "0", send("elsewhere", "1")),
    ];
    expect(await Promise.all(all)).toEqual([false, false, true]);
    expect(sent).toEqual(["refused", "elsewhere"]);
  });
});

describe("keys typed ahead", () => {
  it("wait for what they are meant for, in their order", async () => {
    const busy = signal(true);
    const keys = new TypeAhead(busy);
    const done: string[] = [];
    keys.run(() => done.push("3"), false);
    keys.run(() => {
      done.push("→");
      busy.value = true;
    }, true);
    keys.run(() => done.push("5"), false);
    expect(done).toEqual([]);
    busy.value = false;
    await vi.waitFor(() => expect(done).toEqual(["3", "→"]));
    await tick(5);
    expect(done).toHaveLength(2);
    busy.value = false;
    await vi.waitFor(() => expect(done).toEqual(["3", "→", "5"]));
    keys.dispose();
  });

  it("wait for nothing where all is there, nor to go on where nothing waits", () => {
    const busy = signal(false);
    const keys = new TypeAhead(busy);
    const done: string[] = [];
    keys.run(() => done.push("3"), false);
    busy.value = true;
    keys.run(() => done.push("→"), true);
    expect(done).toEqual(["3", "→"]);
    keys.dispose();
  });
});

let open: Session | null = null;

/** A session on the first sample; `late`: requests of samples wait until `arrive`. */
async function labeling(options: FakeOptions = {}) {
  const model = new FakeModel();
  const kernel = new FakeKernel({ numSamples: 30, ...options });
  const held: (() => void)[] = [];
  const state = { late: false };
  model.onSend = ({ op, id, args }) => {
    const answer = () =>
      void kernel.answer(op, args).then(
        ({ result, buffers }) => model.reply(id, result, buffers),
        (error) => model.refuse(id, error),
      );
    if (op === "cancel") return;
    if (state.late && op === "sample.get") held.push(answer);
    else answer();
  };
  const session = createSession(model);
  open = session;
  session.start();
  await vi.waitFor(() => expect(session.detail.sample.value).not.toBeNull());
  const edits = () => kernel.log.filter(({ op }) => op === "edit.labels").map(({ args }) => args);
  const arrive = async () => {
    for (const answer of held.splice(0)) answer();
    await tick(20);
  };
  return { session, kernel, model, edits, state, arrive };
}

beforeEach(() => {
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
});
afterEach(() => {
  open?.dispose();
  open = null;
  vi.restoreAllMocks();
});

describe("a class", () => {
  it("takes the place of the one before where an image has one", async () => {
    const { session, edits } = await labeling({ singleLabel: true });
    expect(session.labeling.aim.value).toEqual({ kind: "image" });
    session.labeling.key("5");
    expect(session.detail.sample.value?.labels).toEqual([4]); // before the kernel answers
    await vi.waitFor(() => expect(edits()).toMatchObject([{ labels: [4], sources: [0] }]));
  });

  it("is given to an image without one", async () => {
    const { session, edits } = await labeling({ singleLabel: true });
    session.store.current.value = 9;
    await vi.waitFor(() => expect(session.detail.sample.value?.labels).toEqual([]));
    session.labeling.key("2");
    await vi.waitFor(() => expect(edits()).toMatchObject([{ labels: [1], sources: [-1] }]));
  });

  it("is put on and off where an image has several", async () => {
    const { session, edits } = await labeling({ paired: false });
    const before = [...(session.detail.sample.value?.labels ?? [])];
    expect(session.labeling.aim.value).toEqual({ kind: "labels" });
    session.labeling.key("6");
    session.labeling.key("6");
    await vi.waitFor(() => expect(edits().map(({ labels }) => labels)).toEqual([[...before, 5], before]));
  });

  it("goes to the chosen box, and to the next one where none of several is chosen", async () => {
    const { session, edits } = await labeling();
    const labels = session.detail.sample.value?.labels ?? [];
    expect(labels.length).toBeGreaterThan(1);
    session.labeling.key("6");
    expect(session.detail.drawLabel()).toBe(5);
    expect(edits()).toEqual([]);
    session.detail.selectedBox.value = 1;
    session.labeling.key("6");
    await vi.waitFor(() => expect(edits()).toMatchObject([{ labels: [labels[0], 5] }]));
  });

  it("chosen for a chip goes to every box of the chip's class", async () => {
    const { session, edits } = await labeling();
    const first = session.detail.sample.value?.labels[0] ?? 0;
    session.labeling.pick({ kind: "class", label: first });
    expect(session.labeling.picking.value).toBe(true);
    void session.labeling.choose(5);
    expect(session.labeling.picking.value).toBe(false);
    await vi.waitFor(() => expect((edits()[0]?.labels as number[] | undefined)?.[0]).toBe(5));
  });

  it("that is there already sends nothing", async () => {
    const { session, edits } = await labeling({ singleLabel: true });
    session.labeling.key(String((session.detail.sample.value?.labels[0] ?? 0) + 1));
    await tick(10);
    expect(edits()).toEqual([]);
  });

  it("is made by its name, and given", async () => {
    const { session, edits, kernel } = await labeling({ singleLabel: true });
    await session.labeling.create("Torus");
    expect(kernel.names.at(-1)).toBe("Torus");
    await vi.waitFor(() => expect(edits()).toMatchObject([{ labels: [6] }]));
  });

  it("over the grid is refused for one of several boxes, with what to do", async () => {
    const { session, edits } = await labeling();
    session.labeling.gridKey("2");
    expect(session.store.toast.value?.text).toContain("press F and select one");
    expect(edits()).toEqual([]);
  });

  it("over the grid is given to all that are selected", async () => {
    const { session, kernel } = await labeling({ singleLabel: true });
    session.grid.selectAll();
    session.labeling.gridKey("3");
    await vi.waitFor(() =>
      expect(kernel.log.find(({ op }) => op === "edit.bulk")?.args).toEqual({ add: [2], remove: [0, 1, 3, 4, 5] }),
    );
  });
});

describe("going fast", () => {
  it("gives each class to the sample that was current when its key was pressed", async () => {
    const { session, edits, state, arrive } = await labeling({ singleLabel: true });
    state.late = true;
    const { detail, labeling: keys, grid, store } = session;
    const uids = ["0", "1", "2"];
    for (const key of ["6", "5", "6"]) {
      detail.keys.run(() => void keys.gridKey(key), false);
      detail.keys.run(() => grid.go((store.current.value ?? 0) + 1, false), true);
    }
    for (let i = 0; i < 8; i++) await arrive();
    await vi.waitFor(() => expect(edits()).toHaveLength(3));
    expect(edits().map(({ uid }) => uid)).toEqual(uids);
    expect(edits().map(({ labels }) => labels)).toEqual([[5], [4], [5]]);
  });

  it("shows an edit at once, and keeps it when an older answer arrives", async () => {
    const { session, state, arrive } = await labeling();
    const { detail } = session;
    state.late = true;
    session.store.gridEpoch.value++; // asks for the sample again
    const labels = [5, 5];
    void detail.change({ labels, boxes: [1, 2, 30, 40, 5, 6, 30, 40], sources: [0, 1] });
    expect(detail.sample.value?.labels).toEqual(labels);
    await arrive();
    expect(detail.sample.value?.labels).toEqual(labels);
  });

  it("sends edits of a sample that was left behind", async () => {
    const { session, edits } = await labeling();
    const { detail, store } = session;
    const [first] = [detail.sample.value?.uid];
    void detail.edit((now) => ({ labels: [5], boxes: now.boxes.slice(0, 4), sources: [0] }));
    void detail.edit((now) => ({ labels: [4], boxes: now.boxes, sources: [0] }));
    store.current.value = 3;
    await vi.waitFor(() => expect(edits()).toHaveLength(2));
    expect(edits()).toMatchObject([
      { uid: first, labels: [5] },
      { uid: first, labels: [4] },
    ]);
  });

  it("has the next sample at hand: going there asks for nothing that is waited for", async () => {
    const { session, kernel, state } = await labeling();
    session.detail.opened.value = true;
    session.grid.go(1, false);
    await vi.waitFor(() => expect(kernel.log.filter(({ op }) => op === "sample.get").length).toBeGreaterThanOrEqual(4));
    await tick(10);
    state.late = true;
    session.grid.go(2, false);
    expect(session.detail.sample.value?.position).toBe(2);
    expect(session.detail.waiting.value).toBe(false);
  });

  it("goes to the next sample without a label, around the end", async () => {
    const { session } = await labeling({ singleLabel: true });
    await session.labeling.nextUnlabeled();
    expect(session.store.current.value).toBe(9);
    session.store.current.value = 29;
    await session.labeling.nextUnlabeled();
    expect(session.store.current.value).toBe(9);
  });
});
