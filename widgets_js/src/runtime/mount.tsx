import { render } from "preact";
import { CoveragePanel } from "../coverage/coverage-panel.tsx";
import { HistogramPanel } from "../histogram/histogram-panel.tsx";
import type { ViewContext } from "../shared/model.ts";
import { createSession } from "../shared/session.ts";
import { WeightsPanel } from "../tuner/weights-panel.tsx";

export function mountExplorer({ model, el }: ViewContext): () => void {
  const session = createSession(model);
  render(
    <div class="penstock" data-testid="penstock-explorer">
      <WeightsPanel store={session.store} />
      <HistogramPanel store={session.store} />
      <CoveragePanel store={session.store} />
    </div>,
    el,
  );
  session.start();
  return () => {
    session.dispose();
    render(null, el);
  };
}
