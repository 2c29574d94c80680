// Stands in the bundle for d3-interpolate, of which d3-scale needs numbers only: its colors would be 16 KB.

export function interpolateNumber(a: number, b: number): (t: number) => number {
  return (t) => a * (1 - t) + b * t;
}

export function interpolateRound(a: number, b: number): (t: number) => number {
  return (t) => Math.round(a * (1 - t) + b * t);
}

export { interpolateNumber as interpolate };

/** Only d3's diverging and sequential scales ask for it; none is in the bundle. */
export function piecewise(): never {
  throw new Error("the bundle interpolates numbers only");
}
