import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ClassChoices } from "../detail/class-choices.tsx";
import type { Session } from "../session/session.ts";

const WIDTH = 220;
const GAP = 10;

/** The classes: beside the image where there is room, else a popup at the box, always inside the region. */
export function ClassDock({ session }: { session: Session }) {
  const { labeling, detail } = session;
  const element = useRef<HTMLDivElement>(null);
  const [focus, setFocus] = useState(0);
  const picking = labeling.picking.value;
  const asked = labeling.asked.value;
  useLayoutEffect(() => {
    if (picking) setFocus((count) => count + 1);
  }, [picking, asked]);
  const at = detail.chosenAt.value;
  const width = element.current?.parentElement?.clientWidth ?? 0;
  const right = at === null ? GAP : at.x + at.width + GAP;
  const left = at !== null && right + WIDTH > width && at.x - WIDTH - GAP >= 0 ? at.x - WIDTH - GAP : right;
  return (
    <div
      ref={element}
      class={`penstock-dock${picking ? " penstock-picking" : ""}`}
      style={{ "--penstock-left": `${left}px`, "--penstock-top": `${at?.y ?? GAP}px` }}
      data-testid="penstock-dock"
      data-open={picking}
    >
      <ClassChoices
        session={session}
        focus={focus}
        onDone={() => {
          labeling.picking.value = false;
          detail.focusStage();
        }}
      />
    </div>
  );
}
