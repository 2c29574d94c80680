// Thumbnails as elements that are kept with their tiles: one that comes into view again is loaded and decoded already.
import type { LoadedTile } from "../session/page-cache.ts";

export class KeptImages {
  private readonly kept = new WeakMap<LoadedTile, HTMLImageElement>();

  /** The image of a tile; it belongs to who asked last. */
  of(tile: LoadedTile): HTMLImageElement {
    const known = this.kept.get(tile);
    if (known !== undefined) return known;
    const image = document.createElement("img");
    image.alt = "";
    image.draggable = false;
    if (tile.url !== null) image.src = tile.url;
    this.kept.set(tile, image);
    return image;
  }
}
