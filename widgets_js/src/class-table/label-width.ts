// Room for the names left of the bars: what the longest needs, at most two fifths of the panel.

const FONT = "11.5px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const MOST = 0.4;
const LEAST = 40;
const AIR = 8;

let context: CanvasRenderingContext2D | null | undefined;

function textWidth(text: string): number {
  if (context === undefined) {
    context = document.createElement("canvas").getContext("2d") ?? null;
    if (context !== null) context.font = FONT;
  }
  return context?.measureText(text).width ?? text.length * 6.4;
}

export function labelWidth(classes: readonly number[], names: readonly string[], width: number): number {
  const longest = classes.reduce((most, c) => Math.max(most, textWidth(names[c] ?? "")), 0);
  return Math.round(Math.max(LEAST, Math.min(longest + AIR, width * MOST)));
}
