// What is drawn over a row of thumbnails: one canvas, for browsers lay out and compose each one by itself. The last ones are
// kept: a row that comes into view again is drawn already.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { LoadedTile } from "../session/page-cache.ts";
import { drawOverlay, isDrawn, type OverlayLook } from "./draw-overlay.ts";
import { GAP } from "./geometry.ts";

const MAX_BYTES = 64 * 2 ** 20;
const ROUNDED = 5; // as the cells are

/** How all rows of a grid are drawn; another object where anything of it has changed. */
export interface RowLook extends OverlayLook {
  /** Device pixels in one of CSS. */
  ratio: number;
}

type Tiles = readonly (LoadedTile | undefined)[];

interface Kept {
  tiles: Tiles;
  look: RowLook;
  canvas: HTMLCanvasElement;
}

export class RowDrawings {
  private readonly kept = new Map<LoadedTile, Kept>(); // by the first tile that is drawn, in order of last use
  private bytes = 0;

  /** The drawing of a row, which belongs to who asked last; null where nothing is drawn. */
  of(tiles: Tiles, look: RowLook): HTMLCanvasElement | null {
    const first = tiles.find(hasDrawing);
    if (first === undefined) return null;
    const known = this.kept.get(first);
    if (known !== undefined) this.drop(first, known);
    const same =
      known?.look === look && known.tiles.length === tiles.length && known.tiles.every((one, i) => one === tiles[i]);
    const kept = same ? known : { tiles, look, canvas: drawn(tiles, look) };
    this.kept.set(first, kept);
    this.bytes += bytesOf(kept);
    for (const [oldest, dropped] of this.kept) {
      if (this.bytes <= MAX_BYTES || dropped === kept) break;
      this.drop(oldest, dropped);
    }
    return kept.canvas;
  }

  private drop(first: LoadedTile, kept: Kept): void {
    this.kept.delete(first);
    this.bytes -= bytesOf(kept);
  }
}

const hasDrawing = (tile: LoadedTile | undefined): tile is LoadedTile =>
  tile !== undefined && tile.url !== null && isDrawn(tile);

const bytesOf = ({ canvas }: Kept): number => 4 * canvas.width * canvas.height;

function drawn(tiles: Tiles, look: RowLook): HTMLCanvasElement {
  const { side, ratio } = look;
  const canvas = document.createElement("canvas");
  const width = tiles.length * (side + GAP) - GAP;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(side * ratio));
  canvas.style.width = `${width}px`;
  canvas.dataset.tiles = String(tiles.filter(hasDrawing).length);
  const context = canvas.getContext("2d", { willReadFrequently: true }); // small and drawn once: no work for a GPU
  if (context === null) return canvas;
  context.scale(canvas.width / width, canvas.height / side);
  tiles.forEach((tile, column) => {
    if (!hasDrawing(tile)) return;
    context.save();
    context.translate(column * (side + GAP), 0);
    context.beginPath();
    context.roundRect(0, 0, side, side, ROUNDED);
    context.clip();
    drawOverlay(context, tile, look);
    context.restore();
  });
  return canvas;
}

interface RowOverlayProps {
  drawings: RowDrawings;
  tiles: Tiles;
  look: RowLook;
}

export function RowOverlay({ drawings, tiles, look }: RowOverlayProps) {
  const slot = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const canvas = drawings.of(tiles, look);
    if (canvas === null) slot.current?.replaceChildren();
    else if (canvas.parentNode !== slot.current) slot.current?.replaceChildren(canvas);
  }, [drawings, look, ...tiles]);
  return <div ref={slot} class="penstock-drawn" role="presentation" aria-hidden="true" />;
}
