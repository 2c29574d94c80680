// Classes changed and annotations exported, in the Explorer on the scripted kernel.
import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeKernel } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { tunerState } from "../src/class-table/tuner-state.ts";
import { contrastNote } from "../src/classes/class-color.tsx";
import { views } from "../src/runtime/index.ts";
import { movedClasses, renamedText, renamesInWords } from "../src/session/followed.ts";
import { createSession } from "../src/session/session.ts";

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 10 });

describe("what follows renamed classes", () => {
  it("is every literal of the old name, all at once", () => {
    const text = "select * where contains(labels, 'a') or x == 'b' or 'ab' == y";
    const swap: [string, string][] = [
      ["a", "b"],
      ["b", "it's"],
    ];
    expect(renamedText(text, swap)).toBe("select * where contains(labels, 'b') or x == 'it''s' or 'ab' == y");
    expect(renamedText("unfinished 'a' and 'a", [["a", "z"]])).toBe("unfinished 'z' and 'a");
  });

  it("are indices of classes that are still there", () => {
    expect([...movedClasses(new Set([0, 2, 3]), [0, 1, -1, 2])]).toEqual([0, 2]);
    const same = new Set([1]);
    expect(movedClasses(same, null)).toBe(same);
  });

  it("is said in at most three pairs", () => {
    expect(renamesInWords([["a", "b"]])).toBe("The query now says “b” instead of “a”.");
    expect(renamesInWords(Array.from({ length: 5 }, () => ["a", "b"]))).toContain("and 2 more");
  });
});

function model(kernel: FakeKernel, query = "select *"): FakeModel {
  const made = new FakeModel({ _kind: "explorer", query });
  made.onSend = ({ op, id, args }) => {
    if (op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => made.reply(id, result, buffers),
      (error) => made.refuse(id, error),
    );
  };
  return made;
}

describe("a rename made elsewhere", () => {
  it("keeps typed text, hidden classes and locks, each under its new name, once", async () => {
    const weighted = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)";
    const made = model(new FakeKernel({ numSamples: 60 }));
    const session = createSession(made);
    session.start();
    await eventually(() => expect(session.store.link.value).toBe("live"));
    await session.store.actions.run({ text: weighted });
    tunerState(session.store).toggleLock("contains(labels, 'Cross')");
    session.store.actions.toggleClass(5);
    session.query.edit(`${weighted} limit 5`, (position) => position, true);
    const { query, dataset, grid } = session.store;
    const renamed = {
      ...query.value,
      text: weighted.replace("Cross", "Plus"),
      followed: { number: 1, renames: [["Cross", "Plus"]], classes: [0, 1, 2, 3, -1, 4] },
    };
    const news = { v: 1, event: "query", query: renamed, dataset: dataset.value };
    for (const data of ["a", "b"]) made.emit("msg:custom", { ...news, grid: { ...grid.value, data } }, []);
    expect(session.store.text.value).toBe(`${weighted.replace("Cross", "Plus")} limit 5`);
    expect([...session.store.hiddenClasses.value]).toEqual([4]);
    expect([...tunerState(session.store).locked.value]).toEqual(["contains(labels, 'Plus')"]);
    expect(session.store.toast.value?.text).toContain("“Plus” instead of “Cross”");
    session.dispose();
  });
});

describe("in the Explorer", () => {
  let stop = (): void => {};
  afterEach(() => stop());

  async function open(kernel: FakeKernel): Promise<HTMLElement> {
    const el = document.createElement("div");
    document.body.replaceChildren(el);
    stop = views.explorer?.({ model: model(kernel), el }) ?? stop;
    await eventually(() => expect(el.querySelector<HTMLElement>(".penstock")?.dataset.link).toBe("live"));
    return el;
  }

  const find = <E extends HTMLElement>(el: Element, id: string): E => {
    const found = el.querySelector<E>(`[data-testid=penstock-${id}]`);
    if (found === null) throw new Error(`no ${id}`);
    return found;
  };

  function unfold(button: HTMLElement): HTMLElement {
    const panel = button.nextElementSibling as HTMLElement;
    panel.dispatchEvent(Object.assign(new Event("toggle"), { newState: "open" })); // jsdom opens no popover
    return panel;
  }

  async function classMenu(kernel: FakeKernel, name: string): Promise<HTMLElement> {
    return classMenuIn(await open(kernel), name);
  }

  async function classMenuIn(el: HTMLElement, name: string): Promise<HTMLElement> {
    await eventually(() => expect(find(el, "classes").querySelector("[data-kind=class]")).not.toBeNull());
    const row = find(el, "classes").querySelector(`[data-class='${name}']`) as HTMLElement;
    const panel = unfold(find(row, "class-menu"));
    await eventually(() => expect(find(panel, "class-touch").textContent).toMatch(/objects? in/));
    return panel;
  }

  const type = (field: HTMLInputElement, value: string): void => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  async function rename(panel: HTMLElement, to: string): Promise<void> {
    find(panel, "class-rename").click();
    await eventually(() => find(panel, "class-name"));
    type(find(panel, "class-name"), to);
    await eventually(() => expect(find<HTMLButtonElement>(panel, "class-submit").disabled).toBe(false));
    find(panel, "class-submit").click();
  }

  it("renames a class in a form, after saying how many objects have it", async () => {
    const kernel = new FakeKernel({ numSamples: 40 });
    await rename(await classMenu(kernel, "Ring"), " Torus ");
    await eventually(() => expect(kernel.names).toContain("Torus"));
    const asked = kernel.log.find(({ op }) => op === "classes.rename");
    expect(asked?.args).toEqual({ old: "Ring", new: "Torus" });
  });

  it("gives the slider of a renamed class its new name", async () => {
    const el = await open(new FakeKernel({ numSamples: 40 }));
    const sliders = (): (string | undefined)[] =>
      [...el.querySelectorAll<HTMLElement>("[data-testid=weight-slider]")].map(({ dataset }) => dataset.class);
    await eventually(() => expect(sliders().length).toBe(7));
    const [every, ...before] = sliders();
    const name = before[0] ?? "";
    await rename(await classMenuIn(el, name), "Torus");
    await eventually(() => expect(sliders()).toEqual([every, "Torus", ...before.slice(1)]));
  });

  it("tells a refusal in the form, which stays", async () => {
    const panel = await classMenu(new FakeKernel({ numSamples: 40 }), "Ring");
    await rename(panel, "refused");
    await eventually(() =>
      expect(find(panel, "reason").textContent).toBe("This name is not wanted. Hint: take another."),
    );
  });

  it("offers to merge where the name is taken, and merges after saying what becomes of it", async () => {
    const kernel = new FakeKernel({ numSamples: 40 });
    const panel = await classMenu(kernel, "Ring");
    await rename(panel, "Circle");
    await eventually(() => expect(find(panel, "merge-note").textContent).toMatch(/into Circle, which then has \d+/));
    find(panel, "class-submit").click();
    await eventually(() =>
      expect(kernel.log.find(({ op }) => op === "classes.merge")?.args).toEqual({ names: ["Ring"], into: "Circle" }),
    );
  });

  it("says why nothing can be changed, and offers nothing", async () => {
    const kernel = new FakeKernel({ numSamples: 40 });
    kernel.fixed = "the dataset is read-only";
    const panel = await classMenu(kernel, "Ring");
    expect(find(panel, "reason").textContent).toBe("Classes cannot be changed: the dataset is read-only.");
    const items = [...panel.querySelectorAll<HTMLButtonElement>("[role=menuitem]")];
    expect(items.map(({ disabled }) => disabled)).toEqual([true, true, true, true]);
  });

  it("chooses a color with the arrow keys", async () => {
    const panel = await classMenu(new FakeKernel({ numSamples: 40 }), "Ring");
    find(panel, "class-color").click();
    await eventually(() => find(panel, "hue"));
    const radios = [...panel.querySelectorAll<HTMLElement>("[role=radio]")];
    await eventually(() => expect(document.activeElement).toBe(radios.at(-1))); // the color it has
    radios.at(-1)?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
    await eventually(() => expect(radios[0]?.getAttribute("aria-checked")).toBe("true"));
    expect(document.activeElement).toBe(radios[0]);
  });

  it("says on which theme a color is hard to see", () => {
    expect(contrastNote("#ffff00")).toBe("Hard to see on the light theme.");
    expect(contrastNote("#000080")).toBe("Hard to see on the dark theme.");
    expect(contrastNote("#cb8000")).toBe("");
  });

  async function annotations(kernel: FakeKernel): Promise<HTMLElement> {
    const panel = unfold(find(await open(kernel), "export"));
    await eventually(() => find(panel, "export-what"));
    panel.querySelector<HTMLInputElement>("input[value=annotations]")?.click();
    await eventually(() => expect(find<HTMLInputElement>(panel, "annotations-path").value).toBe("shapes.json"));
    return panel;
  }

  const said = (panel: HTMLElement): string => find(panel, "annotations-outcome").textContent ?? "";

  it("exports annotations and shows the report", async () => {
    const panel = await annotations(new FakeKernel({ numSamples: 40 }));
    find(panel, "annotations-export").click();
    await eventually(() => expect(said(panel)).toContain("3 images, 5 objects in /home/shapes.json"));
    expect(said(panel)).toContain("2 crowds were left out");
  });

  it("asks before it replaces a file", async () => {
    const kernel = new FakeKernel({ numSamples: 40 });
    kernel.exists = "file";
    const panel = await annotations(kernel);
    find(panel, "annotations-export").click();
    await eventually(() => expect(said(panel)).toContain("The file /home/shapes.json already exists."));
    find(panel, "overwrite").click();
    await eventually(() => expect(said(panel)).toContain("3 images"));
    expect(kernel.log.filter(({ op }) => op === "export.annotations").map(({ args }) => args.overwrite)).toEqual([
      false,
      true,
    ]);
  });

  it("goes to a folder with images, keeps a typed path, and tells what failed", async () => {
    const panel = await annotations(new FakeKernel({ numSamples: 40 }));
    const images = find<HTMLSelectElement>(panel, "annotations-images");
    images.value = "copy";
    images.dispatchEvent(new Event("change", { bubbles: true }));
    const path = find<HTMLInputElement>(panel, "annotations-path");
    await eventually(() => expect(path.value).toBe("shapes-coco"));
    type(path, "bad");
    find(panel, "annotations-export").click();
    await eventually(() => expect(said(panel)).toContain("It cannot be written. Hint: try another."));
  });

  it("says why a format cannot be used", async () => {
    const panel = await annotations(new FakeKernel({ numSamples: 40 }));
    const format = find<HTMLSelectElement>(panel, "format");
    format.value = "voc";
    format.dispatchEvent(new Event("change", { bubbles: true }));
    await eventually(() => expect(said(panel)).toBe("Not possible: no boxes."));
    expect(find<HTMLButtonElement>(panel, "annotations-export").disabled).toBe(true);
  });

  it("asks no other format for the path and the images of the one before", async () => {
    const panel = await annotations(new FakeKernel({ numSamples: 40 }));
    const path = find<HTMLInputElement>(panel, "annotations-path");
    type(path, "mine.json");
    const choose = (name: string): void => {
      const format = find<HTMLSelectElement>(panel, "format");
      format.value = name;
      format.dispatchEvent(new Event("change", { bubbles: true }));
    };
    choose("folder");
    await eventually(() => expect(find<HTMLSelectElement>(panel, "annotations-images").value).toBe("copy"));
    expect(path.value).toBe("shapes-voc");
    choose("coco");
    await eventually(() => expect(find<HTMLSelectElement>(panel, "annotations-images").value).toBe(""));
    expect(path.value).toBe("shapes.json");
  });

  it("shows the notes of the dataset behind its name", async () => {
    const panel = unfold(find(await open(new FakeKernel({ numSamples: 40 })), "dataset-name"));
    await eventually(() => expect(find(panel, "dataset-info").textContent).toContain("source.formatcoco"));
  });
});
