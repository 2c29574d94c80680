// A selection of pool positions as sorted, disjoint intervals [start, stop): a million selected samples are one pair.

export type Intervals = readonly (readonly [number, number])[];

export function add(intervals: Intervals, start: number, stop: number): Intervals {
  if (stop <= start) return intervals;
  const before = intervals.filter(([, end]) => end < start);
  const after = intervals.filter(([begin]) => begin > stop);
  const touching = intervals.filter(([begin, end]) => end >= start && begin <= stop);
  const low = Math.min(start, ...touching.map(([begin]) => begin));
  const high = Math.max(stop, ...touching.map(([, end]) => end));
  return [...before, [low, high], ...after];
}

export function remove(intervals: Intervals, start: number, stop: number): Intervals {
  return intervals.flatMap(([begin, end]) => {
    const kept: [number, number][] = [];
    if (begin < start) kept.push([begin, Math.min(end, start)]);
    if (end > stop) kept.push([Math.max(begin, stop), end]);
    return kept;
  });
}

export function has(intervals: Intervals, position: number): boolean {
  return intervals.some(([begin, end]) => position >= begin && position < end);
}

export function toggle(intervals: Intervals, position: number): Intervals {
  return has(intervals, position) ? remove(intervals, position, position + 1) : add(intervals, position, position + 1);
}

export function size(intervals: Intervals): number {
  return intervals.reduce((total, [begin, end]) => total + end - begin, 0);
}

/** The neighbor of `position` within the selection, and its rank, for stepping through it. */
export function step(intervals: Intervals, position: number, by: 1 | -1): number | null {
  const target = position + by;
  if (has(intervals, target)) return target;
  const edges =
    by === 1
      ? intervals.map(([begin]) => begin).filter((begin) => begin > position)
      : intervals.map(([, end]) => end - 1).filter((last) => last < position);
  return edges.length === 0 ? null : by === 1 ? Math.min(...edges) : Math.max(...edges);
}

export function rank(intervals: Intervals, position: number): number {
  return intervals.reduce((total, [begin, end]) => total + Math.max(0, Math.min(end, position) - begin), 0);
}
