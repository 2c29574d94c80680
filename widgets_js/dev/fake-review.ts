// A page of the review of the scripted kernel: edited samples, then deleted ones.
import type { ReviewEntry, ReviewPage } from "../src/session/protocol.ts";
import type { Answer, Arguments } from "./fake-answers.ts";
import { HEIGHT, type Sample, WIDTH } from "./fake-samples.ts";

/** What is not committed. */
export interface Uncommitted {
  names: readonly string[];
  edited: readonly number[];
  gone: readonly number[];
  others: string[];
  token: string;
  /** Labels of each class as committed, and now. */
  counted: readonly number[];
  now: readonly number[];
  before: (row: number) => Sample;
  after: (row: number) => Sample;
  picture: (row: number, size: number) => Promise<ArrayBuffer>;
}

export async function reviewPage(state: Uncommitted, { start, stop, size, marked = [] }: Arguments): Promise<Answer> {
  const { edited, names, now, counted } = state;
  const rows = [...edited, ...state.gone];
  const buffers: ArrayBuffer[] = [];
  const entries: ReviewEntry[] = [];
  for (const row of rows.slice(start, stop)) {
    const before = state.before(row);
    const after = state.after(row);
    const side = ({ labels, boxes }: Sample) => ({ image: buffers.length, shapes: -1, labels, boxes });
    const gone = state.gone.includes(row);
    entries.push({
      kind: gone ? "deleted" : "edited",
      edited: !gone,
      row,
      uid: String(row),
      width: WIDTH,
      height: HEIGHT,
      before: side(before),
      after: gone ? null : side(after),
      words: gone ? [] : wordsOf(before, after, names),
      more: 0,
      error: null,
    });
    buffers.push(await state.picture(row, size));
  }
  const moved = names
    .map((name, i): [string, number, number] => [name, counted[i] ?? 0, now[i] ?? 0])
    .filter(([, one, other]) => one !== other);
  const result: ReviewPage = {
    entries,
    token: state.token,
    num_edited: edited.length,
    num_added: 0,
    num_deleted: state.gone.length,
    others: state.others,
    num_others: state.others.length,
    moved,
    num_moved: moved.length,
    marked: marked.filter((uid: string) => edited.includes(Number(uid))),
  };
  return { result, buffers };
}

function wordsOf(before: Sample, after: Sample, names: readonly string[]): ReviewEntry["words"] {
  const gone = before.labels.filter((label) => !after.labels.includes(label));
  const fresh = after.labels.filter((label) => !before.labels.includes(label));
  const words = [
    ...gone.map((label) => ({ sign: "-" as const, text: names[label] ?? "" })),
    ...fresh.map((label) => ({ sign: "+" as const, text: names[label] ?? "" })),
  ];
  const dx = (after.boxes[0] ?? 0) - (before.boxes[0] ?? 0);
  if (dx === 0 || after.boxes.length !== before.boxes.length) return words;
  return [...words, { sign: "" as const, text: `box 1 moved ${Math.abs(dx)} px ${dx < 0 ? "left" : "right"}` }];
}
