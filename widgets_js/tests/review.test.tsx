// The review of what is not committed: a list of samples, what is checked, discarding, committing, keys.
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { Words } from "../src/review/review-row.tsx";
import { views } from "../src/runtime/index.ts";
import type { ReviewEntry, ReviewPage } from "../src/session/protocol.ts";
import { FOCUSABLE_SELECTOR } from "../src/ui/focus.ts";

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 10 });

let unmount = (): void => {};
let el: HTMLElement;
let kernel: FakeKernel;
let model: FakeModel;

const all = (id: string): HTMLElement[] => [...el.querySelectorAll<HTMLElement>(`[data-testid=penstock-${id}]`)];
const find = (id: string): HTMLElement => {
  const found = all(id)[0];
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
};
const rows = (): string[] => all("review-row").map((row) => row.dataset.row ?? "");
const row = (number: number): HTMLElement => {
  const found = all("review-row").find((one) => one.dataset.row === String(number));
  if (found === undefined) throw new Error(`no row ${number}`);
  return found;
};
const sent = (op: string): Record<string, unknown>[] =>
  kernel.log.filter((one) => one.op === op).map(({ args }) => args);
const write = (text: string): void => {
  const field = find("commit-message") as HTMLTextAreaElement;
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
};
const press = (target: Element, key: string): void => {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
};

/** Open the Explorer with some samples edited: each has the class Cross instead of its first one. */
async function open(
  edited: number[],
  prepare: (kernel: FakeKernel) => void = () => {},
  numSamples = 40,
): Promise<void> {
  model = new FakeModel({ _kind: "explorer", query: "select *" });
  kernel = new FakeKernel({ numSamples });
  for (const one of edited) {
    const { labels, boxes } = kernel.sample(one);
    await kernel.answer("edit.labels", { uid: String(one), labels: [5, ...labels.slice(1)], boxes });
  }
  prepare(kernel);
  model.onSend = ({ op, id, args }) => {
    if (op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => model.reply(id, result, buffers),
      (error) => model.refuse(id, error),
    );
  };
  el = document.createElement("div");
  document.body.replaceChildren(el);
  unmount = views.explorer?.({ model, el }) ?? unmount;
  await eventually(() => find("edits").click());
  await eventually(() => expect(find("review-count").textContent).toMatch(/selected|changes/));
}

beforeEach(() => {
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(494);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
});
afterEach(() => {
  unmount();
  vi.restoreAllMocks();
});

describe("the list", () => {
  it("names each sample and its difference, with both images", async () => {
    await open([3]);
    await eventually(() => expect(rows()).toEqual(["3"]));
    expect(row(3).textContent).toContain("sample 3");
    expect(row(3).textContent).toContain("+ Cross");
    expect([...row(3).querySelectorAll("[role=img]")].map((one) => one.getAttribute("aria-label"))).toEqual([
      "sample 3, as committed",
      "sample 3, as it is now",
    ]);
  });

  it("draws only what is in view of thousands", async () => {
    await open(
      [],
      (one) => {
        for (let i = 0; i < 1500; i++) one.edit(i, [5]);
      },
      1500,
    );
    await eventually(() => expect(rows().slice(0, 3)).toEqual(["0", "1", "2"]));
    expect(rows().length).toBeLessThan(20);
    expect(find("review-count").textContent).toBe("1,500 of 1,500 edits selected");
    const list = find("review-list");
    Object.defineProperty(list, "scrollTop", { value: 82 * 1000, writable: true });
    list.dispatchEvent(new Event("scroll"));
    await eventually(() => expect(rows()).toContain("1000"));
    expect(rows().length).toBeLessThan(20);
  });

  it("says what else is part of the commit, and which samples are gone", async () => {
    await open([3], (one) => {
      one.others = ["class Ring renamed to Hoop"];
      one.gone = [9];
    });
    await eventually(() => expect(rows()).toEqual(["3", "9"]));
    expect(find("review-others").textContent).toBe("Class Ring renamed to Hoop");
    expect(row(9).textContent).toContain("deleted");
    expect(row(9).querySelector("input")?.disabled).toBe(true);
  });

  it("says which counts in the table hold the edits", async () => {
    await open([3]);
    await eventually(() => expect(find("review-counts").textContent).toMatch(/already counts these edits: .* → /));
  });

  it("has one Tab stop, and arrow keys between rows and their parts", async () => {
    await open([3, 5, 7]);
    await eventually(() => expect(rows()).toEqual(["3", "5", "7"]));
    const stops = (): string[] =>
      [...find("review-list").querySelectorAll<HTMLElement>("[tabindex='0']")].map(
        (one) => `${one.closest<HTMLElement>("li")?.dataset.row} ${one.dataset.part}`,
      );
    expect(stops()).toEqual(["3 check"]);
    const at = (): string => {
      const here = document.activeElement as HTMLElement;
      return `${here.closest<HTMLElement>("li")?.dataset.row} ${here.dataset.part}`;
    };
    row(3).querySelector("input")?.focus();
    for (const [key, place] of [
      ["ArrowDown", "5 check"],
      ["ArrowRight", "5 name"],
      ["End", "7 name"],
      ["Home", "3 name"],
      ["ArrowUp", "3 name"],
    ] as const) {
      press(document.activeElement as Element, key);
      await eventually(() => expect([at(), ...stops()]).toEqual([place, place]));
    }
  });

  it("keeps the notebook's shortcuts off every element that takes focus", async () => {
    await open([3, 5]);
    await eventually(() => expect(rows()).toHaveLength(2));
    const bare = [...el.querySelectorAll<HTMLElement>(FOCUSABLE_SELECTOR)].filter(
      (one) => one.dataset.lmSuppressShortcuts !== "true",
    );
    expect(bare.map((one) => one.className)).toEqual([]);
  });
});

describe("what is checked", () => {
  it("is committed, and the rest stays", async () => {
    await open([3, 5, 7]);
    await eventually(() => expect(rows()).toEqual(["3", "5", "7"]));
    row(5).querySelector("input")?.click();
    await eventually(() => expect(find("review-count").textContent).toBe("2 of 3 edits selected"));
    expect(row(5).textContent).toContain("not in this commit");
    expect((find("commit-now") as HTMLButtonElement).disabled).toBe(true);
    write("two of three");
    await eventually(() => expect((find("commit-now") as HTMLButtonElement).disabled).toBe(false));
    expect(find("commit-now").textContent).toBe("Commit 2 edits");
    find("commit-now").click();
    await eventually(() => expect(rows()).toEqual(["5"]));
    expect(sent("edit.commit")).toEqual([{ message: "two of three", keep: ["5"], token: expect.any(String) }]);
    expect(find("edits").textContent).toBe("1 unsaved edit");
    expect((find("commit-message") as HTMLTextAreaElement).value).toBe("");
    expect(find("review-count").textContent).toBe("1 of 1 edit selected");
  });

  it("can be none, and then one", async () => {
    await open([3, 5, 7]);
    await eventually(() => expect(rows()).toHaveLength(3));
    find("review-all").click();
    await eventually(() => expect(find("review-count").textContent).toBe("0 of 3 edits selected"));
    expect((find("discard") as HTMLButtonElement).disabled).toBe(true);
    write("one");
    row(7).querySelector("input")?.click();
    await eventually(() => expect(find("commit-now").textContent).toBe("Commit 1 edit"));
    find("commit-now").click();
    await eventually(() => expect(rows()).toEqual(["3", "5"]));
    expect(sent("edit.commit")[0]).toMatchObject({ only: ["7"] });
  });

  it("is remembered while the drawer is closed, as is the message", async () => {
    await open([3, 5]);
    await eventually(() => expect(rows()).toHaveLength(2));
    row(5).querySelector("input")?.click();
    write("half of it");
    press(find("review-drawer"), "Escape");
    await eventually(() => expect(all("review-drawer")).toHaveLength(0));
    await eventually(() => expect(document.activeElement).toBe(find("edits")));
    find("edits").click();
    await eventually(() => expect(find("review-count").textContent).toBe("1 of 2 edits selected"));
    expect((find("commit-message") as HTMLTextAreaElement).value).toBe("half of it");
  });

  it("forgets a sample whose edits were taken back meanwhile", async () => {
    await open([3, 5]);
    await eventually(() => expect(rows()).toHaveLength(2));
    row(5).querySelector("input")?.click();
    await eventually(() => expect(find("review-count").textContent).toBe("1 of 2 edits selected"));
    find("undo").click();
    await eventually(() => expect(rows()).toEqual(["3"]));
    await eventually(() => expect(find("review-count").textContent).toBe("1 of 1 edit selected"));
  });
});

describe("discarding", () => {
  it("takes one sample back", async () => {
    await open([3, 5]);
    await eventually(() => expect(rows()).toHaveLength(2));
    row(3).querySelector<HTMLElement>("[data-testid=penstock-review-discard]")?.click();
    await eventually(() => expect(rows()).toEqual(["5"]));
    expect(sent("edit.discard")).toEqual([{ only: ["3"] }]);
  });

  it("asks once before it drops what is checked", async () => {
    await open([3, 5, 7]);
    await eventually(() => expect(rows()).toHaveLength(3));
    row(5).querySelector("input")?.click();
    await eventually(() => expect(find("discard").textContent).toBe("Discard 2…"));
    find("discard").click();
    await eventually(() => find("discard-now"));
    expect(sent("edit.discard")).toEqual([]);
    find("discard-now").click();
    await eventually(() => expect(rows()).toEqual(["5"]));
    expect(sent("edit.discard")).toEqual([{ keep: ["5"] }]);
  });

  it("of the last edit goes back to the grid", async () => {
    await open([3]);
    await eventually(() => expect(rows()).toHaveLength(1));
    row(3).querySelector<HTMLElement>("[data-testid=penstock-review-discard]")?.click();
    await eventually(() => expect(find("left").dataset.region).toBe("grid"));
    expect(all("edits")).toHaveLength(0);
  });
});

describe("the commit", () => {
  it("is refused where the edits are not those on show, and they are shown anew", async () => {
    await open([3]);
    await eventually(() => expect(rows()).toHaveLength(1));
    kernel.edit(9, [5]);
    write("three");
    await eventually(() => expect((find("commit-now") as HTMLButtonElement).disabled).toBe(false));
    find("commit-now").click();
    await eventually(() => expect(find("problem").textContent).toContain("look at them again"));
    expect(rows()).toEqual(["3"]);
    expect((find("commit-message") as HTMLTextAreaElement).value).toBe("three");
  });

  it("goes out on Enter, and back to the grid when nothing is left", async () => {
    await open([3]);
    await eventually(() => expect(rows()).toHaveLength(1));
    write("one");
    await eventually(() => expect((find("commit-now") as HTMLButtonElement).disabled).toBe(false));
    press(find("commit-message"), "Enter");
    await eventually(() => expect(find("left").dataset.region).toBe("grid"));
    expect(sent("edit.commit")).toHaveLength(1);
  });

  it("is the one filled button while the drawer is open", async () => {
    await open([3]);
    const filled = [...el.querySelectorAll<HTMLElement>(".penstock-primary")].map((one) => one.dataset.testid);
    expect(filled).toEqual(["penstock-commit-now"]);
  });
});

describe("the header", () => {
  it("names what undo and redo do", async () => {
    await open([3]);
    expect(find("undo").title).toBe("Undo: changed the labels of sample 3 (Ctrl Z)");
    expect((find("redo") as HTMLButtonElement).disabled).toBe(true);
    find("undo").click();
    await eventually(() => expect(find("redo").title).toContain("Redo: changed the labels of sample 3"));
  });

  it("has one place for what must be known, and nothing that pushes the body", async () => {
    await open([3]);
    kernel.behind = { message: "another session has written to the dataset since", remedy: "update" };
    model.emit("comm_live_update");
    await eventually(() => expect(find("behind").textContent).toContain("Another session has written"));
    expect(find("header").contains(find("behind"))).toBe(true);
    model.onSend = () => {
      throw new Error("Cannot send");
    };
    model.emit("comm_live_update");
    await eventually(() => expect(find("dead").textContent).toContain("1 edit kept as a draft"));
    expect(find("header").contains(find("dead"))).toBe(true);
    expect(all("behind")).toHaveLength(0);
  });
});

describe("the words of an edited sample", () => {
  const word = (sign: "+" | "-" | "" | "=", text: string) => ({ sign, text });
  const sum = word("=", "19 → 22 boxes");

  it.each([
    ["with what they come to, where it fits", [word("+", "Star"), sum], 0, ["+ Star", "19 → 22 boxes"]],
    [
      "without it, where all edits are shown",
      [word("-", "Ring"), word("+", "Star"), word("+", "Cross"), sum],
      0,
      ["− Ring", "+ Star", "+ Cross"],
    ],
    [
      "and how many edits are left out, which it is none of",
      [word("-", "Ring"), word("+", "Star"), word("+", "Cross"), word("", "box 1 moved"), sum],
      0,
      ["− Ring", "+ Star", "2 more changes"],
    ],
    [
      "also of those the kernel left out",
      [word("-", "Ring"), word("+", "Star")],
      7,
      ["− Ring", "+ Star", "7 more changes"],
    ],
  ])("are listed %s", async (_, words, more, lines) => {
    await open([3]);
    const page = (await kernel.answer("review.page", { start: 0, stop: 1, size: 64 })).result as ReviewPage;
    const shown = { ...(page.entries[0] as ReviewEntry), words, more, url: null };
    const entry = shown as unknown as Parameters<typeof Words>[0]["entry"];
    const root = document.createElement("div");
    render(<Words entry={entry} kept={false} />, root);
    expect([...root.querySelectorAll("span")].map(({ textContent }) => textContent)).toEqual(lines);
  });
});
