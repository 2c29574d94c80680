// Webster's apportionment: seat k of a stratum falls due at (k + 1/2) / votes, and the earliest seats are given, equal
// times to the earlier stratum. Cumulative quotas of any two epochs then never cross, so no epoch's quota is negative.

/** Seats of each stratum among the first `seats`; votes are rows times weight. */
export function websterQuotas(votes: Float64Array, seats: number): Float64Array {
  const quotas = new Float64Array(votes.length);
  let given = seatsBefore(votes, startingTime(votes, seats), quotas);
  const heap = new DueSeats(votes, quotas);
  while (given < seats && heap.giveEarliest()) given++;
  return quotas;
}

/** Seats due up to a time, into `quotas`; their sum. */
function seatsBefore(votes: Float64Array, time: number, quotas: Float64Array): number {
  let total = 0;
  for (let s = 0; s < votes.length; s++) {
    const seats = Math.max(0, Math.floor((votes[s] as number) * time + 0.5));
    quotas[s] = seats;
    total += seats;
  }
  return total;
}

/** A time by which a few seats less than `seats` are due, so that the last ones are given exactly. */
function startingTime(votes: Float64Array, seats: number): number {
  const total = votes.reduce((sum, v) => sum + v, 0);
  if (!(total > 0)) return 0;
  const scratch = new Float64Array(votes.length);
  let low = 0;
  let high = (seats + votes.length) / total;
  for (let i = 0; i < 40; i++) {
    const middle = i === 0 ? seats / total : (low + high) / 2;
    const due = seatsBefore(votes, middle, scratch);
    if (due > seats) high = middle;
    else low = middle;
    if (due <= seats && seats - due <= 4) break;
  }
  return low * (1 - 1e-12);
}

/** A binary heap of each stratum's next seat, by (due time, stratum). */
class DueSeats {
  private readonly heap: Int32Array;
  private readonly due: Float64Array;

  constructor(
    private readonly votes: Float64Array,
    private readonly quotas: Float64Array,
  ) {
    const drawable: number[] = [];
    for (let s = 0; s < votes.length; s++) if ((votes[s] as number) > 0) drawable.push(s);
    this.heap = Int32Array.from(drawable);
    this.due = new Float64Array(votes.length);
    for (const s of drawable) this.due[s] = this.dueTime(s);
    for (let i = (this.heap.length >> 1) - 1; i >= 0; i--) this.sink(i);
  }

  giveEarliest(): boolean {
    const first = this.heap[0];
    if (first === undefined) return false;
    this.quotas[first] = (this.quotas[first] as number) + 1;
    this.due[first] = this.dueTime(first);
    this.sink(0);
    return true;
  }

  private dueTime(s: number): number {
    return ((this.quotas[s] as number) + 0.5) / (this.votes[s] as number);
  }

  private before(a: number, b: number): boolean {
    const x = this.due[a] as number;
    const y = this.due[b] as number;
    return x < y || (x === y && a < b);
  }

  private sink(start: number): void {
    const { heap } = this;
    let i = start;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && this.before(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.before(heap[child] as number, heap[i] as number)) return;
      const moved = heap[i] as number;
      heap[i] = heap[child] as number;
      heap[child] = moved;
      i = child;
    }
  }
}
