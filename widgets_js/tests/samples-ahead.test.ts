// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { createSession, type Session } from "../src/session/session.ts";

let open: Session | null = null;

/** A session whose panel is open on sample 10; requests of samples wait in `asked` until they are answered. */
async function stepping() {
  const model = new FakeModel();
  const kernel = new FakeKernel({ numSamples: 30 });
  const asked: { position: number; cancelled: boolean; answer: () => Promise<void>; refuse: () => void }[] = [];
  const byId = new Map<string, (typeof asked)[number]>();
  const state = { late: false };
  model.onSend = ({ op, id, args }) => {
    const one = byId.get(id);
    if (op === "cancel" && one !== undefined) one.cancelled = true;
    if (op === "cancel") return;
    const answer = async () => {
      const { result, buffers } = await kernel.answer(op, args);
      model.reply(id, result, buffers);
      await new Promise((resolve) => setTimeout(resolve));
    };
    if (!state.late || op !== "sample.get") {
      void answer();
      return;
    }
    const refuse = () => model.refuse(id, { code: "Error", message: "not now" });
    const { position } = args as { position: number };
    asked.push({ position, cancelled: false, answer, refuse });
    byId.set(id, asked.at(-1) as (typeof asked)[number]);
  };
  const session = createSession(model);
  open = session;
  session.start();
  await vi.waitFor(() => expect(session.detail.sample.value).not.toBeNull());
  session.detail.opened.value = true;
  state.late = true;
  session.store.current.value = 10;
  await asked.shift()?.answer();
  const take = (position: number) => {
    const found = asked.findIndex((one) => one.position === position && !one.cancelled);
    return asked.splice(found, 1)[0] as (typeof asked)[number];
  };
  const waiting = () => asked.filter(({ cancelled }) => !cancelled).map(({ position }) => position);
  return { session, take, waiting, asked };
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

describe("samples ahead", () => {
  it("are the next, the one after it and the one before, all asked for at once", async () => {
    const { waiting } = await stepping();
    expect(waiting()).toEqual([11, 12, 9]);
  });

  it("ask for one more with each step on", async () => {
    const { session, take, waiting } = await stepping();
    for (const position of [11, 12, 9]) await take(position).answer();
    session.store.current.value = 11;
    expect(session.detail.sample.value?.position).toBe(11);
    expect(waiting()).toEqual([13]);
  });

  it("are not asked for again by who goes to one that is on its way", async () => {
    const { session, take, waiting } = await stepping();
    session.store.current.value = 11;
    expect(waiting()).toEqual([11, 12, 13]); // 9 is no longer near, 10 is kept
    expect(session.detail.waiting.value).toBe(true);
    await take(11).answer();
    expect(session.detail.sample.value?.position).toBe(11);
    expect(session.detail.waiting.value).toBe(false);
  });

  it("are cancelled where one goes far away", async () => {
    const { session, take, waiting } = await stepping();
    session.store.current.value = 25;
    expect(waiting()).toEqual([25]);
    await take(25).answer();
    expect(waiting()).toEqual([26, 27, 24]);
  });

  it("show nothing when they arrive after one has gone on", async () => {
    const { session, take } = await stepping();
    session.store.current.value = 11;
    session.store.current.value = 12;
    await take(11).answer();
    expect(session.detail.sample.value?.position).toBe(10);
    await take(12).answer();
    expect(session.detail.sample.value?.position).toBe(12);
  });

  it("are asked for once more where the answer that is waited for was an error", async () => {
    const { session, take, waiting } = await stepping();
    session.store.current.value = 11;
    take(11).refuse();
    await vi.waitFor(() => expect(waiting()).toContain(11));
    await take(11).answer();
    expect(session.detail.sample.value?.position).toBe(11);
  });
});
