import { useEffect, useState } from "preact/hooks";
import type { Ops } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { Popover } from "../ui/popover.tsx";

/** The dataset's name; it opens where it is, what its tensors are, and its notes. */
export function DatasetName({ session, name }: { session: Session; name: string }) {
  if (!session.store.isLive.value) return <span class="penstock-name">{name}</span>;
  return (
    <Popover class="penstock-name" label={name} title="about this dataset" testid="penstock-dataset-name">
      {() => <About session={session} name={name} />}
    </Popover>
  );
}

function About({ session, name }: { session: Session; name: string }) {
  const { store } = session;
  const [info, setInfo] = useState<Ops["dataset.info"][1] | null>(null);
  useEffect(() => {
    store.rpc.call("dataset.info", {}).then(
      ({ result }) => setInfo(result),
      () => {},
    );
  }, [store]);
  const tensors = store.dataset.value?.tensors ?? [];
  return (
    <div class="penstock-about" data-testid="penstock-dataset-info">
      <b>{name}</b>
      <p class="penstock-note penstock-mono">{info?.path ?? "…"}</p>
      <Rows label="tensors" rows={tensors.map(({ name: tensor, shown }) => ({ name: tensor, value: shown }))} />
      {info === null || info.rows.length === 0 ? (
        <p class="penstock-note">{info === null ? "…" : "No notes yet. Write them in Python: ds.info.update(...)."}</p>
      ) : (
        <Rows label="notes" rows={info.rows} />
      )}
    </div>
  );
}

function Rows({ label, rows }: { label: string; rows: { name: string; value: string }[] }) {
  return (
    <>
      <h3>{label}</h3>
      <table class="penstock-fields">
        <tbody>
          {rows.map(({ name, value }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td title={value}>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
