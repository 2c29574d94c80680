// Fast Fourier transform of a power of two of complex numbers, in place: sums of value[j] exp(-2 pi i j k / n).

export interface Turns {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

const known = new Map<number, Turns>();

/** cos and sin of 2 pi k / n. */
export function turnsOf(length: number): Turns {
  const found = known.get(length);
  if (found !== undefined) return found;
  const made = { cos: new Float64Array(length), sin: new Float64Array(length) };
  for (let k = 0; k < length; k++) {
    made.cos[k] = Math.cos((2 * Math.PI * k) / length);
    made.sin[k] = Math.sin((2 * Math.PI * k) / length);
  }
  known.set(length, made);
  return made;
}

export function transform(re: Float64Array, im: Float64Array): void {
  const length = re.length;
  const { cos, sin } = turnsOf(length);
  reverseBits(re, im);
  for (let half = 1; half < length; half *= 2) {
    const stride = length / (2 * half);
    for (let start = 0; start < length; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const c = cos[k * stride] as number;
        const s = -(sin[k * stride] as number);
        const a = start + k;
        const b = a + half;
        const x = (re[b] as number) * c - (im[b] as number) * s;
        const y = (re[b] as number) * s + (im[b] as number) * c;
        re[b] = (re[a] as number) - x;
        im[b] = (im[a] as number) - y;
        re[a] = (re[a] as number) + x;
        im[a] = (im[a] as number) + y;
      }
    }
  }
}

function reverseBits(re: Float64Array, im: Float64Array): void {
  const length = re.length;
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j] as number, re[i] as number];
      [im[i], im[j]] = [im[j] as number, im[i] as number];
    }
  }
}

/** The masses of counts 0, 1, ... modulo the length, from half of a characteristic function. */
export function massesOfHalf(re: Float64Array, im: Float64Array): Float64Array {
  const length = re.length;
  const half = length / 2;
  for (let j = 1; j < half; j++) {
    re[length - j] = re[j] as number;
    im[length - j] = -(im[j] as number);
  }
  im[half] = 0;
  transform(re, im);
  return re;
}
