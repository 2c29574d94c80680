// Every view on one page with the scripted kernel: ?kind=explorer&theme=dark&samples=1000000&query=…&dead=1&fault=refused
import { views } from "../src/runtime/index.ts";
import type { WidgetState } from "../src/session/protocol.ts";
import { FakeKernel, type FakeOptions } from "./fake-kernel.ts";
import { FakeModel } from "./fake-model.ts";
import { NAMES } from "./fake-samples.ts";

const options = new URLSearchParams(location.search);
const COLORS = ["#7a41b4", "#cb8000", "#22695e", "#b274ed", "#944a07", "#589d90", "#451618", "#252144"];

const FAULTS = {
  refused: {
    problem: "refused",
    error: "the linked file 's3://photos/a.png' cannot be read: access was denied with the credentials of 'mine'",
  },
  unreachable: {
    problem: "unreachable",
    error: "the linked file 's3://photos/a.png' cannot be read: 's3.eu.amazonaws.com' does not respond",
  },
} as const;

const image: NonNullable<FakeOptions["image"]> = async (sample, size, width, height) => {
  const scale = Math.min(1, size / Math.max(width, height));
  const canvas = new OffscreenCanvas(width * scale, height * scale);
  const pen = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  pen.scale(scale, scale);
  const back = pen.createLinearGradient(0, 0, width, height);
  back.addColorStop(0, `hsl(${sample.hue} 14% 80%)`);
  back.addColorStop(1, `hsl(${(sample.hue + 90) % 360} 14% 64%)`);
  pen.fillStyle = back;
  pen.fillRect(0, 0, width, height);
  sample.labels.forEach((label, i) => {
    const [x = 100, y = 60, w = 120, h = 120] = sample.boxes.slice(4 * i, 4 * i + 4);
    pen.fillStyle = COLORS[label % 8] ?? "#000";
    pen.beginPath();
    if (label % 3 === 0) pen.ellipse(x + w / 2, y + h / 2, w / 2 - 2, h / 2 - 2, 0, 0, 7);
    else if (label % 3 === 1) pen.rect(x + 2, y + 2, w - 4, h - 4);
    else {
      pen.moveTo(x + w / 2, y + 2);
      pen.lineTo(x + w - 2, y + h - 2);
      pen.lineTo(x + 2, y + h - 2);
    }
    pen.fill();
  });
  return (await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 })).arrayBuffer();
};

const names = Number(options.get("classes") ?? 0);
const kernel = new FakeKernel({
  numSamples: Number(options.get("samples") ?? 600),
  broken: [11],
  singleLabel: options.has("single"),
  ...(options.has("fault") ? { broken: [1, 2, 5], fault: FAULTS[options.get("fault") as keyof typeof FAULTS] } : {}),
  image,
  ...(names > 0 ? { classNames: Array.from({ length: names }, (_, i) => `class_${i}`) } : {}),
});
const kind = (options.get("kind") ?? "explorer") as WidgetState["_kind"];
const theme = (options.get("theme") ?? "light") as WidgetState["theme"];
const snapshot = {
  dataset: { name: "shapes", version: "3f2a9c", num_samples: 600 },
  query: "select *",
  pool_size: 600,
  draws: 600,
  mode: "deck" as const,
  seed: 7,
  unit: "instances" as const,
  bars: NAMES.map((name, i) => ({
    name,
    class_index: i,
    raw: 400 / (i + 1),
    expected: 300 / (i + 1),
    low: 280 / (i + 1),
    high: 320 / (i + 1),
  })),
  coverage: Array.from({ length: 21 }, (_, e) => ({ share: 1 - 0.5 ** e, low: 1 - 0.52 ** e, high: 1 - 0.48 ** e })),
};
const model = new FakeModel({
  ...(options.has("dead") ? { snapshot } : {}),
  _kind: kind,
  query: "select *",
  mode: "deck",
  seed: 7,
  theme,
  unit: "instances",
});
model.onSend = async ({ op, id, args }) => {
  if (op === "cancel" || options.has("dead")) return;
  await new Promise((resolve) => setTimeout(resolve, Number(options.get("delay") ?? 5)));
  try {
    const { result, buffers } = await kernel.answer(op, args);
    model.reply(id, result, buffers);
  } catch (error) {
    if (error instanceof Error) throw error;
    model.refuse(id, error as object);
  }
};
document.body.style.background = theme === "dark" ? "#14171a" : "#f6f7f8";
const el = document.createElement("div");
document.body.append(el);
views[kind]?.({ model, el });
if (options.has("edits")) {
  for (let row = 0; row < Number(options.get("edits")); row++) {
    const { labels, boxes } = kernel.sample(row * 3 + 2);
    const moved = boxes.map((value, i) => (i === 0 && row % 2 === 0 ? Math.max(0, value - 4) : value));
    const added = row % 3 === 1;
    await kernel.answer("edit.labels", {
      uid: String(row * 3 + 2),
      labels: added ? [...labels, 3] : [5, ...labels.slice(1)],
      boxes: added ? [...moved, 20, 20, 56, 56] : moved,
    });
  }
  model.emit("comm_live_update");
  await new Promise((resolve) => setTimeout(resolve, 300));
}
if (options.has("review")) document.querySelector<HTMLElement>("[data-testid=penstock-edits]")?.click();
const query = options.get("query");
if (query !== null) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  while (document.querySelector(".cm-content") === null) await new Promise((resolve) => setTimeout(resolve, 20));
  const content = document.querySelector(".cm-content") as HTMLElement;
  content.focus();
  document.execCommand("selectAll");
  document.execCommand("insertText", false, query);
  await new Promise((resolve) => setTimeout(resolve, 400));
  if (!options.has("norun")) document.querySelector<HTMLElement>("[data-testid=penstock-run]")?.click();
}
Object.assign(globalThis, { model, kernel });
