import { useRef } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { lazy } from "../ui/lazy.tsx";
import { Popover } from "../ui/popover.tsx";

const ColumnList = lazy(() => import("./column-list.tsx").then((part) => part.ColumnList), "penstock-columns");

/** The profiles of the tensors beside the images: age, view, file. */
export function ColumnsMenu({ session }: { session: Session }) {
  const { store } = session;
  const dataset = store.dataset.value;
  const loaded = useRef(false);
  // without images the table shows them above its columns
  if (dataset === null || dataset.image_tensor === null || !dataset.tensors.some(({ htype }) => !PIXELS.has(htype)))
    return null;
  const live = store.isLive.value;
  return (
    <Popover
      class="penstock-opener"
      label={
        <>
          <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
            <path d="M2 14V8h3v6M6.5 14V3h3v11M11 14V6h3v8" fill="none" stroke="currentColor" stroke-width="1.4" />
          </svg>
          <span class="penstock-columns-word">columns</span>
          <span aria-hidden="true">▾</span>
        </>
      }
      name="columns"
      testid="penstock-columns-menu"
      disabled={!live && !loaded.current}
      title={live ? "how the values of each tensor are distributed" : "column profiles need a running kernel"}
    >
      {() => {
        loaded.current = true;
        return <ColumnList session={session} />;
      }}
    </Popover>
  );
}

const PIXELS = new Set([
  "image",
  "link[image]",
  "binary_mask",
  "segment_mask",
  "link[binary_mask]",
  "link[segment_mask]",
]);
