import type { Session } from "../session/session.ts";
import { lazy } from "../ui/lazy.tsx";

const DetailPanel = lazy(() => import("./detail-panel.tsx").then((part) => part.DetailPanel), "penstock-detail");

/** One line until the first sample is chosen, then the sample. */
export function DetailSlot({ session }: { session: Session }) {
  const { store, detail } = session;
  if (store.gridSize.value === 0 && detail.sample.value === null) return null;
  if (detail.opened.value) return <DetailPanel session={session} />;
  const imageless = store.dataset.value?.image_tensor === null;
  return (
    <p class="penstock-hint" data-testid="penstock-hint">
      <b>Look</b>: click a {imageless ? "sample" : "tile"}. <b>Label</b>:{" "}
      {imageless ? (
        "press 1–9, or click its class."
      ) : (
        <>
          double-click it, or press <kbd>F</kbd>.
        </>
      )}
    </p>
  );
}
