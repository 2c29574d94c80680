// Which class each of the keys 1 to 9 stands for: classes used lately, then all. A class keeps its key while it has one,
// so that a hand can learn it; a class that has none takes the key that was used longest ago.
import { computed, type ReadonlySignal, signal } from "@preact/signals";

export const NUM_KEYS = 9;

interface Used {
  name: string;
  key: number; // from 0
}

export class ClassKeys {
  /** By name, the one used last at the end: classes may come and go. */
  private readonly used = signal<readonly Used[]>([]);
  /** The class of each key, as an index. */
  readonly classes: ReadonlySignal<number[]>;
  /** Classes used lately, in the order of their keys. */
  readonly recent: ReadonlySignal<number[]>;
  private readonly names: ReadonlySignal<string[]>;

  constructor(names: ReadonlySignal<string[]>) {
    this.names = names;
    this.classes = computed(() => assigned(this.used.value, names.value));
    this.recent = computed(() => {
      const used = new Set(this.used.value.map(({ name }) => name));
      return this.classes.value.filter((index) => used.has(names.value[index] ?? ""));
    });
  }

  /** The key of a class, from 1; null where it has none. */
  keyOf(index: number): number | null {
    const key = this.classes.value.indexOf(index);
    return key < 0 ? null : key + 1;
  }

  use(index: number): void {
    const name = this.names.value[index];
    if (name === undefined) return;
    const known = this.used.value.filter((one) => this.names.value.includes(one.name));
    const held = this.classes.value.indexOf(index);
    const rest = known.filter((one) => one.name !== name);
    const key = held >= 0 ? held : (firstFree(rest) ?? rest[0]?.key ?? 0);
    this.used.value = [...rest.filter((one) => one.key !== key), { name, key }];
  }
}

function firstFree(used: readonly Used[]): number | null {
  for (let key = 0; key < NUM_KEYS; key++) if (!used.some((one) => one.key === key)) return key;
  return null;
}

function assigned(used: readonly Used[], names: readonly string[]): number[] {
  const keys: (number | undefined)[] = Array.from({ length: Math.min(NUM_KEYS, names.length) });
  for (const { name, key } of used) {
    const index = names.indexOf(name);
    if (index >= 0 && key < keys.length) keys[key] = index;
  }
  let next = 0;
  const taken = new Set(keys);
  return keys.map((index, key) => {
    if (index !== undefined) return index;
    if (!taken.has(key)) {
      taken.add(key);
      return key;
    }
    while (taken.has(next)) next++;
    taken.add(next);
    return next;
  });
}
