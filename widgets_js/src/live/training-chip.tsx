import type { LiveState } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { countText, figureText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";

const WORDS: Record<LiveState["state"], string> = {
  ready: "ready",
  training: "training",
  waiting: "waiting",
  ended: "ended",
};

/** Training that draws from this session's loader: how far it is, and what can be done about it. */
export function TrainingChip({ session }: { session: Session }) {
  const { store } = session;
  const live = store.live.value;
  if (live === null) return null;
  return (
    <Popover
      class="penstock-live-chip"
      label={<Progress live={live} />}
      title={titleOf(live)}
      testid="penstock-training"
    >
      {(close) => <Menu session={session} close={close} />}
    </Popover>
  );
}

function Progress({ live }: { live: LiveState }) {
  const { state, epoch, batch, num_batches, reported } = live;
  return (
    <>
      <i aria-hidden="true" data-state={state} data-follows={live.follows} />
      <span class="penstock-live-word">{WORDS[state]}</span>
      <span class="penstock-live-place">
        <span class="penstock-live-long">epoch </span>
        <b data-testid="penstock-live-epoch">{countText(epoch + 1)}</b>
      </span>
      <span class="penstock-live-place">
        <span class="penstock-live-long">batch </span>
        <b data-testid="penstock-live-batch">
          {countText(batch)}/{countText(num_batches)}
        </b>
      </span>
      {reported === null ? null : (
        <span class="penstock-live-place penstock-live-value">
          <span class="penstock-live-long">{reported.name} </span>
          <b data-testid="penstock-live-value">{figureText(Number(reported.value.toPrecision(2)))}</b>
        </span>
      )}
      <span aria-hidden="true">▾</span>
    </>
  );
}

function titleOf({ state, follows, why, when }: LiveState): string {
  if (state === "ended") return "training has ended; its schedule stays";
  if (!follows) return why ?? "weights do not reach the running loader";
  return `a weight that is moved takes effect at the ${when === "next_batch" ? "next batch" : "next epoch"}`;
}

function Menu({ session, close }: { session: Session; close: () => void }) {
  const { store } = session;
  const live = store.live.value;
  if (live === null) return null;
  const names = store.dataset.value?.signals?.names ?? [];
  const act = (what: () => void) => (): void => {
    what();
    close();
  };
  return (
    <div class="penstock-menu penstock-live-menu" data-testid="penstock-training-menu">
      <button
        {...focusable}
        type="button"
        data-testid="penstock-go-to-schedule"
        onClick={act(() => {
          store.coverTab.value = "schedule";
        })}
      >
        Go to schedule
      </button>
      {names.map((name) => (
        <button
          {...focusable}
          key={name}
          type="button"
          aria-pressed={store.signalColumn.value === name}
          onClick={act(() => {
            store.signalColumn.value = store.signalColumn.value === name ? null : name;
          })}
        >
          {store.signalColumn.value === name ? `Hide ${name} per class` : `Show ${name} per class`}
        </button>
      ))}
      {live.state === "ended" ? null : (
        <button
          {...focusable}
          type="button"
          data-testid="penstock-follow"
          disabled={!store.isLive.value}
          title={
            live.follows ? "training goes on with the weights it has" : "the weights of now take effect, and later ones"
          }
          onClick={act(() => void follow(session, !live.follows))}
        >
          {live.follows ? "Detach the sliders" : "Attach the sliders"}
        </button>
      )}
      {live.why === null ? null : <p class="penstock-note">{live.why}</p>}
    </div>
  );
}

async function follow(session: Session, on: boolean): Promise<void> {
  const { store } = session;
  try {
    await session.query.settle();
    const { result } = await store.rpc.call("live.follow", { on });
    store.live.value = result.live;
  } catch (failure) {
    session.query.failed(failure);
  }
}
