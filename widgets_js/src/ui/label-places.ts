/** Heights for labels beside curves: near where each curve ends, never over one another, inside [top, bottom]. */
export function labelPlaces(ends: readonly number[], room: number, top: number, bottom: number): number[] {
  const order = ends.map((_, i) => i).sort((a, b) => (ends[a] as number) - (ends[b] as number) || a - b);
  const places = [...ends];
  let lowest = top;
  for (const i of order) {
    places[i] = Math.max(ends[i] as number, lowest);
    lowest = (places[i] as number) + room;
  }
  let highest = bottom;
  for (const i of order.reverse()) {
    places[i] = Math.min(places[i] as number, highest);
    highest = (places[i] as number) - room;
  }
  return places;
}
