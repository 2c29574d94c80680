import { useLayoutEffect, useRef } from "preact/hooks";
import { chips } from "../session/labels.ts";
import type { LoadedTile } from "../session/page-cache.ts";
import { canRetry, problemWords } from "../session/problems.ts";
import type { Store } from "../session/store.ts";
import { classColor } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import { countText, figureText, pluralText } from "../ui/number-text.ts";
import { MANY } from "./draw-overlay.ts";
import type { KeptImages } from "./kept-images.ts";

interface TileProps {
  store: Store;
  tile: LoadedTile;
  images: KeptImages;
  boxes: boolean;
  onRetry: () => void;
}

/** What a cell shows of its sample: the image and what is drawn over it, or why there is none. */
export function TileImage({ store, tile, images, boxes, onRetry }: TileProps) {
  return (
    <>
      {store.dataset.value?.image_tensor === null ? (
        <Card store={store} labels={tile.labels} />
      ) : tile.url === null ? (
        <Broken tile={tile} onRetry={onRetry} />
      ) : (
        <Picture tile={tile} images={images} />
      )}
      {tile.value !== undefined ? <Value tile={tile} /> : null}
      {boxes && tile.value === undefined && tile.boxes.length / 4 > MANY ? (
        <span
          class="penstock-box-count"
          aria-hidden="true"
          data-count={pluralText(tile.boxes.length / 4, "box", "boxes")}
        />
      ) : null}
      {tile.boxes.length === 0 && tile.value === undefined && tile.url !== null ? (
        <LabelDots store={store} labels={tile.labels} />
      ) : null}
      {tile.edited ? (
        <span class="penstock-edited" title="edited, not committed" aria-hidden="true">
          ✎
        </span>
      ) : null}
      <span class="penstock-row-number" aria-hidden="true" data-row={countText(tile.row)} />
    </>
  );
}

/** What the samples are sorted by. */
function Value({ tile: { value, stale = false } }: { tile: LoadedTile }) {
  const shown = typeof value === "number" ? figureText(value) : (value ?? "–");
  const words = value === null ? "no value" : `${value}${stale ? ", reported before the labels were edited" : ""}`;
  return (
    <span class="penstock-tile-value" data-stale={stale} data-testid="penstock-tile-value" title={words}>
      {shown}
      {stale ? "*" : ""}
    </span>
  );
}

function Picture({ tile, images }: Pick<TileProps, "tile" | "images">) {
  const slot = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const image = images.of(tile);
    if (image.parentNode !== slot.current) slot.current?.replaceChildren(image);
  }, [tile, images]);
  return <div ref={slot} class="penstock-picture" />;
}

/** Few words; the sentence is in the tooltip, and in the detail panel when the tile is clicked. */
function Broken({ tile, onRetry }: { tile: LoadedTile; onRetry: () => void }) {
  return (
    <span
      class="penstock-broken penstock-warned"
      title={tile.error ?? undefined}
      data-problem={tile.problem ?? "other"}
      data-testid="penstock-broken"
    >
      <span>{problemWords(tile.problem)}</span>
      {canRetry(tile.problem) ? <Again onRetry={onRetry} /> : null}
    </span>
  );
}

export function Again({ onRetry }: { onRetry: () => void }) {
  return (
    <button
      {...focusable}
      type="button"
      tabIndex={-1}
      class="penstock-link"
      data-testid="penstock-retry"
      onClick={(event) => {
        event.stopPropagation();
        onRetry();
      }}
    >
      Retry
    </button>
  );
}

/** A sample of a dataset without images: its classes by name. */
function Card({ store, labels }: { store: Store; labels: readonly number[] }) {
  const shown = chips(labels);
  if (shown.length === 0) return <span class="penstock-broken">no class</span>;
  return (
    <ul class="penstock-card">
      {shown.map(({ label, count: times }) => (
        <li key={label}>
          <span class="penstock-dot" style={{ background: classColor(label) }} />
          {store.classNames.value[label]}
          {times > 1 ? ` ×${times}` : ""}
        </li>
      ))}
    </ul>
  );
}

function LabelDots({ store, labels }: { store: Store; labels: readonly number[] }) {
  const shown = [...new Set(labels)].slice(0, 6);
  if (shown.length === 0) return null;
  return (
    <span class="penstock-tile-dots" aria-hidden="true">
      {shown.map((label) => (
        <span
          key={label}
          class="penstock-dot"
          title={store.classNames.value[label]}
          style={{ background: classColor(label) }}
        />
      ))}
    </span>
  );
}
