// Strata statistics as they arrive: a header that names the arrays, and one buffer for each.
import type { StatisticsArray, StatisticsHeader } from "./protocol.ts";

export interface Statistics {
  header: StatisticsHeader;
  sizes: Float64Array;
  clauseOffsets: Int32Array;
  clauseIds: Int32Array;
  classOffsets: Int32Array;
  classIds: Int32Array;
  rowsWithClass: Float64Array;
  instances: Float64Array;
  instancesSquared: Float64Array;
  values: RowValues | null; // only where a row has a class more than once
  weights: Float64Array | null; // only for level "bins"
  unlabeled: Float64Array | null; // rows of each stratum without a label; null where there are none
  folded: FoldedRows | null; // only where a sample is in the pool at several positions
}

/** Rows by stratum, class and instances; an entry of classIds all of whose rows have equally many has none. */
export interface RowValues {
  offsets: Int32Array;
  counts: Int32Array;
  rows: Float64Array;
}

/** Distinct samples of a pool, grouped by the positions they have in each stratum. */
export interface FoldedRows {
  sizes: Float64Array;
  offsets: Int32Array;
  strata: Int32Array;
  times: Float64Array;
  classOffsets: Int32Array;
  classIds: Int32Array;
  rowsWithClass: Float64Array;
}

/** An aligned copy: a host may hand buffers over at any byte offset. */
function aligned(view: DataView | undefined): ArrayBuffer {
  if (view === undefined) return new ArrayBuffer(0);
  const copy = new Uint8Array(view.byteLength);
  copy.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return copy.buffer;
}

export function decodeStatistics(header: StatisticsHeader, buffers: readonly DataView[]): Statistics {
  const found = new Map(header.arrays.map((array, i) => [array.name, { array, bytes: aligned(buffers[i]) }]));
  const float = (name: StatisticsArray): Float64Array => new Float64Array(found.get(name)?.bytes ?? new ArrayBuffer(0));
  const int = (name: StatisticsArray): Int32Array => {
    const entry = found.get(name);
    if (entry?.array.dtype === "int64") return Int32Array.from(new BigInt64Array(entry.bytes), Number);
    return new Int32Array(entry?.bytes ?? new ArrayBuffer(0));
  };
  return {
    header,
    sizes: float("sizes"),
    clauseOffsets: int("clause_offsets"),
    clauseIds: int("clause_ids"),
    classOffsets: int("class_offsets"),
    classIds: int("class_ids"),
    rowsWithClass: float("rows_with_class"),
    instances: float("instances"),
    instancesSquared: float("instances_squared"),
    values: found.has("value_offsets")
      ? { offsets: int("value_offsets"), counts: int("value_counts"), rows: float("value_rows") }
      : null,
    weights: found.has("weights") ? float("weights") : null,
    unlabeled: found.has("unlabeled") ? float("unlabeled") : null,
    folded: found.has("fold_sizes")
      ? {
          sizes: float("fold_sizes"),
          offsets: int("fold_offsets"),
          strata: int("fold_strata"),
          times: float("fold_times"),
          classOffsets: int("fold_class_offsets"),
          classIds: int("fold_class_ids"),
          rowsWithClass: float("fold_rows_with_class"),
        }
      : null,
  };
}
