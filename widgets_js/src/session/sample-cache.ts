// Samples that were on show or may be next, with their images: going to one of them asks the kernel for nothing.
import { imageUrl } from "./page-cache.ts";
import type { ShownSample } from "./shown-sample.ts";

interface KeptSample {
  sample: ShownSample;
  url: string | null;
  bytes: DataView | undefined;
}

const KEPT = 12;

/** Owns the object URLs of the images; an image that has not changed keeps its URL, so that it is not drawn anew. */
export class SampleCache {
  private readonly kept = new Map<string, KeptSample>(); // in order of last use
  private readonly places = new Map<number, string>();
  private fresh = new Set<string>();
  private token = "";

  /** What was kept may be out of date; where it stood counts no more where `token` is another one. */
  renew(token: string): void {
    this.fresh = new Set();
    if (token !== this.token) this.places.clear();
    this.token = token;
  }

  /** The sample at a position, if it is kept; it is the one used last then. */
  at(position: number): KeptSample | undefined {
    const uid = this.places.get(position);
    const found = uid === undefined ? undefined : this.kept.get(uid);
    if (uid === undefined || found === undefined) return undefined;
    this.kept.delete(uid);
    this.kept.set(uid, found);
    return { ...found, sample: { ...found.sample, position } };
  }

  has(position: number): boolean {
    return this.kept.has(this.places.get(position) ?? "");
  }

  /** The image of the sample at a position, if it is kept. */
  urlAt(position: number): string | null {
    return this.kept.get(this.places.get(position) ?? "")?.url ?? null;
  }

  isFresh(position: number): boolean {
    return this.has(position) && this.fresh.has(this.places.get(position) ?? "");
  }

  get(uid: string): ShownSample | undefined {
    return this.kept.get(uid)?.sample;
  }

  /** Keep a sample with its image; the URL of the image. */
  put(sample: ShownSample, bytes: DataView | undefined): string | null {
    const before = this.kept.get(sample.uid);
    const same = before !== undefined && sameBytes(before.bytes, bytes);
    if (!same && before?.url != null) URL.revokeObjectURL(before.url);
    const url = same ? before.url : imageUrl(bytes);
    this.kept.delete(sample.uid);
    this.kept.set(sample.uid, { sample, url, bytes });
    this.fresh.add(sample.uid);
    if (sample.position >= 0) this.places.set(sample.position, sample.uid);
    while (this.kept.size > KEPT) {
      const [oldest, dropped] = this.kept.entries().next().value as [string, KeptSample];
      this.kept.delete(oldest);
      if (dropped.url !== null) URL.revokeObjectURL(dropped.url);
    }
    return url;
  }

  /** Keep what an edit made of a sample, under the image that it has. */
  change(sample: ShownSample): void {
    const before = this.kept.get(sample.uid);
    if (before !== undefined) this.kept.set(sample.uid, { ...before, sample });
  }

  clear(): void {
    for (const { url } of this.kept.values()) if (url !== null) URL.revokeObjectURL(url);
    this.kept.clear();
    this.places.clear();
  }
}

function sameBytes(one: DataView | undefined, other: DataView | undefined): boolean {
  if (one === undefined || other === undefined || one.byteLength !== other.byteLength) return one === other;
  const a = new Uint8Array(one.buffer, one.byteOffset, one.byteLength);
  const b = new Uint8Array(other.buffer, other.byteOffset, other.byteLength);
  return a.every((byte, i) => byte === b[i]);
}
