// The samples that Python packed into the page (penstock/widgets/_page_samples.py): labels, boxes, thumbnails.
import type { Tile } from "../../session/protocol.ts";
import type { LabelColumn } from "./label-rows.ts";

export interface PackedSamples {
  num_samples: number;
  repeats: boolean; // a sample comes twice: queries would have to tell its positions apart
  tensors: { name: string; class_names: string[]; single: boolean }[];
  arrays: { name: string; dtype: "<i4" | "<i8" | "<f4"; length: number }[];
  errors: Record<string, string>; // by place: why there is no thumbnail
}

/** A tile of the grid as the kernel gave it, and how long its parts are among the bytes. */
export interface PackedTile {
  tile: Tile;
  image: number;
  shapes: number;
}

export interface LargeTile {
  tile: Tile;
  image: DataView;
  shapes: DataView;
}

export function unpackTiles(packed: readonly PackedTile[], bytes: ArrayBuffer): LargeTile[] {
  let at = 0;
  const next = (length: number): DataView => {
    at += length;
    return new DataView(bytes.slice(at - length, at)); // a copy: shapes are read at any place
  };
  return packed.map(({ tile, image, shapes }) => ({ tile, image: next(image), shapes: next(shapes) }));
}

export class Samples {
  readonly count: number;
  readonly repeats: boolean;
  readonly columns: LabelColumn[];
  /** Rows of the dataset, uids as text, and the places that the query on show returns. */
  readonly rows: Int32Array;
  readonly uids: BigInt64Array;
  readonly pool: Int32Array;
  /** Stratum of each position of that pool; null where strata are not groups of clauses. */
  readonly strata: Int32Array | null;
  readonly edited: ReadonlySet<number>;
  private readonly sides: Int32Array;
  private readonly boxes: { offsets: Int32Array; values: Float32Array };
  private readonly jpegs: Int32Array;
  private readonly bytes: ArrayBuffer;
  private readonly errors: Record<string, string>;
  private places: Map<string, number> | null = null;

  constructor(header: PackedSamples, bytes: ArrayBuffer) {
    const arrays = new Map<string, ArrayBuffer>();
    let at = 0;
    for (const { name, dtype, length } of header.arrays) {
      const end = at + length * (dtype === "<i8" ? 8 : 4);
      arrays.set(name, bytes.slice(at, end)); // a copy, so that it is aligned
      at = end;
    }
    const int = (name: string): Int32Array => new Int32Array(arrays.get(name) ?? new ArrayBuffer(0));
    this.count = header.num_samples;
    this.repeats = header.repeats;
    this.errors = header.errors;
    this.rows = int("rows");
    this.uids = new BigInt64Array(arrays.get("uids") ?? new ArrayBuffer(0));
    this.pool = int("pool");
    this.strata = arrays.has("strata") ? int("strata") : null;
    this.edited = new Set(int("edited"));
    this.sides = int("sides");
    this.columns = header.tensors.map(({ name, class_names, single }, i) => ({
      name,
      classNames: class_names,
      single,
      offsets: offsetsOf(int(`labels${i}_lengths`)),
      values: int(`labels${i}`),
    }));
    this.boxes = {
      offsets: offsetsOf(int("boxes_lengths")),
      values: new Float32Array(arrays.get("boxes") ?? new ArrayBuffer(0)),
    };
    this.jpegs = offsetsOf(int("jpeg_lengths"), at);
    this.bytes = bytes;
  }

  column(name: string | null): LabelColumn | undefined {
    return this.columns.find((column) => column.name === name);
  }

  placeOf(uid: string): number | undefined {
    this.places ??= new Map(Array.from(this.uids, (one, place) => [String(one), place]));
    return this.places.get(uid);
  }

  /** The thumbnail of 32 pixels; empty where there is none. */
  jpeg(place: number): DataView {
    const start = this.jpegs[place] ?? 0;
    return new DataView(this.bytes, start, (this.jpegs[place + 1] ?? start) - start);
  }

  isUnreadable(place: number): boolean {
    return this.errors[place] !== undefined;
  }

  /** Pixels of the whole image; NaN where they are not known. */
  pixels(place: number): number {
    return (this.sides[2 * place] ?? 0) * (this.sides[2 * place + 1] ?? 0) || Number.NaN;
  }

  /** The largest box in square pixels, or the smallest; NaN without boxes. */
  boxArea(place: number, largest: boolean): number {
    const { offsets, values } = this.boxes;
    let found = Number.NaN;
    for (let j = offsets[place] as number; j < (offsets[place + 1] as number); j += 4) {
      const area = Math.abs((values[j + 2] as number) * (values[j + 3] as number));
      if (Number.isNaN(found) || (largest ? area > found : area < found)) found = area;
    }
    return found;
  }

  get numUnreadable(): number {
    return Object.keys(this.errors).length;
  }

  tile(place: number, position: number, labels: LabelColumn | undefined): Tile {
    const { offsets, values } = this.boxes;
    const without = this.jpegs.length === 1 ? "this page has no images" : null;
    return {
      position,
      row: this.rows[place] as number,
      uid: String(this.uids[place]),
      image: -1,
      shapes: -1,
      width: this.sides[2 * place] ?? 0,
      height: this.sides[2 * place + 1] ?? 0,
      labels: labels === undefined ? [] : [...labels.values.subarray(labels.offsets[place], labels.offsets[place + 1])],
      boxes: Array.from(values.subarray(offsets[place], offsets[place + 1]), (v) => Math.round(v * 1000) / 1000),
      edited: this.edited.has(place),
      error: without ?? this.errors[place] ?? null,
    };
  }
}

function offsetsOf(lengths: Int32Array, start = 0): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  offsets[0] = start;
  lengths.forEach((length, i) => {
    offsets[i + 1] = (offsets[i] as number) + length;
  });
  return offsets;
}
