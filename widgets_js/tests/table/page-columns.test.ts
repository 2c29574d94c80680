// The table of a page without a kernel.
import { describe, expect, it } from "vitest";
import { PageColumns } from "../../src/runtime/page/columns.ts";

const info = (name: string) => ({ name, htype: "generic", shown: "generic", numeric: true });
const row = (position: number, uid: string, cells: number[]) => ({
  position,
  row: position,
  uid,
  edited: false,
  cells,
});
const columns = new PageColumns({
  list: { columns: [info("age"), info("size")], num_rows: 3, data: "1" },
  profiles: [],
  rows: [row(0, "a", [1, 10]), row(1, "b", [2, 20])],
});

describe("the rows of a page without a kernel", () => {
  it("follow their samples in another order, and name what the page lacks by no cells", () => {
    const uids = ["c", "b", "a"];
    const { rows } = columns.rows(0, 9, ["size"], { size: 3, token: "t", uidAt: (position) => uids[position] ?? null });
    expect(rows.map(({ uid, cells }) => [uid, cells])).toEqual([
      ["c", []],
      ["b", [20]],
      ["a", [10]],
    ]);
    expect(rows.map(({ position }) => position)).toEqual([0, 1, 2]);
  });

  it("of a table result stay where they are", () => {
    const { rows } = columns.rows(1, 9, ["age"], { size: 2, token: "t", uidAt: null });
    expect(rows.map(({ cells }) => cells)).toEqual([[2]]);
  });
});
