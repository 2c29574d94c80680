// The pieces of a stacked bar: the commonest classes by color, all others together.

const TOLD = 8; // as many as there are hues

export interface BatchPart {
  readonly classIndex: number | null; // null: all other classes
  readonly count: number;
  readonly share: number; // of the longest bar
}

/** The classes that occur most, in class order. */
export function legendClasses(batches: readonly (readonly number[])[]): number[] {
  const totals = new Map<number, number>();
  for (const counts of batches) {
    counts.forEach((count, c) => {
      if (count > 0) totals.set(c, (totals.get(c) ?? 0) + count);
    });
  }
  const most = [...totals].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, TOLD);
  return most.map(([c]) => c).sort((a, b) => a - b);
}

export function batchParts(counts: readonly number[], legend: readonly number[], longest: number): BatchPart[] {
  const told = legend.map((classIndex) => ({
    classIndex: classIndex as number | null,
    count: counts[classIndex] ?? 0,
  }));
  const all = counts.reduce((sum, n) => sum + n, 0);
  const others = all - told.reduce((sum, { count }) => sum + count, 0);
  const parts = others > 0 ? [...told, { classIndex: null, count: others }] : told;
  return parts.filter(({ count }) => count > 0).map((part) => ({ ...part, share: part.count / longest }));
}
