// ⋯ of a class: rename, merge, color, delete. Each says how many objects it touches before it is done.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { stepChoices } from "../detail/class-picker.tsx";
import { searchClasses } from "../session/labels.ts";
import type { DatasetInfo, Ops } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { classColor } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { walk } from "../ui/walk.ts";
import { ClassColor } from "./class-color.tsx";
import { Form, type PageProps, Reason } from "./class-form.tsx";

type Touch = Ops["classes.count"][1];
type Page = "menu" | "rename" | "merge" | "color";

interface ClassMenuProps {
  session: Session;
  index: number;
  instances: number;
  tabIndex?: number;
  /** Entries above those of the class. */
  extra?: ((close: () => void) => ComponentChildren) | undefined;
}

export function ClassMenu({ session, index, instances, tabIndex = 0, extra }: ClassMenuProps) {
  const name = session.store.classNames.value[index] ?? "";
  return (
    <Popover
      label="⋯"
      class="penstock-row-tool"
      title={`more for ${name}`}
      testid="penstock-class-menu"
      tabIndex={tabIndex}
      cell="more"
    >
      {(close) => (
        <Pages session={session} index={index} name={name} instances={instances} close={close} extra={extra} />
      )}
    </Popover>
  );
}

interface PagesProps {
  session: Session;
  index: number;
  name: string;
  instances: number;
  close: () => void;
  extra: ClassMenuProps["extra"];
}

function Pages({ session, index, name, instances, close, extra }: PagesProps) {
  const [page, setPage] = useState<Page>("menu");
  const [target, setTarget] = useState<string | null>(null);
  const touch = useTouch(session, [index]);
  const props: PageProps = { session, index, name, touch, back: () => setPage("menu"), close };
  const mergeInto = (into: string | null): void => {
    setTarget(into);
    setPage("merge");
  };
  return (
    <div class="penstock-class-form" data-testid="penstock-class-form">
      <p class="penstock-class-head">
        <span class="penstock-dot" style={{ background: classColor(index) }} /> <b title={name}>{name}</b>
        <span class="penstock-class-touch" data-testid="penstock-class-touch">
          {touch ?? "…"}
        </span>
      </p>
      {page === "menu" ? (
        <Menu {...props} instances={instances} go={setPage} mergeInto={() => mergeInto(null)} extra={extra} />
      ) : null}
      {page === "rename" ? <Rename {...props} mergeInto={mergeInto} /> : null}
      {page === "merge" ? <Merge {...props} target={target} setTarget={setTarget} /> : null}
      {page === "color" ? <ClassColor {...props} /> : null}
    </div>
  );
}

interface MenuProps extends PageProps {
  instances: number;
  go: (page: Page) => void;
  mergeInto: () => void;
  extra: ClassMenuProps["extra"];
}

function Menu({ session, name, instances, touch, go, mergeInto, close, extra }: MenuProps) {
  const { store, edits } = session;
  const off = whyFixed(session);
  const others = store.classNames.value.length - 1;
  const remove = async (): Promise<void> => {
    close();
    await edits.apply("classes.remove", { names: [name] });
  };
  const items = [
    { label: "Rename…", testid: "rename", off: false, run: () => go("rename") },
    { label: "Merge into…", testid: "merge", off: others === 0, run: mergeInto },
    { label: "Color…", testid: "color", off: false, run: () => go("color") },
    { label: "Delete", testid: "delete", off: instances > 0, run: () => void remove() },
  ];
  return (
    <>
      <div class="penstock-menu" role="menu" aria-label={`change ${name}`} onKeyDown={walk}>
        {extra === undefined ? null : (
          <>
            {extra(close)}
            <hr />
          </>
        )}
        {items.map((item) => (
          <button
            {...focusable}
            key={item.testid}
            type="button"
            role="menuitem"
            disabled={off !== null || item.off}
            data-testid={`penstock-class-${item.testid}`}
            onClick={item.run}
          >
            {item.label}
          </button>
        ))}
      </div>
      <Reason>
        {off ??
          (instances > 0
            ? `Not empty, so it cannot be deleted: ${touch ?? "…"}.${others > 0 ? " Merge it instead." : ""}`
            : "")}
      </Reason>
    </>
  );
}

function Rename({ session, name, touch, back, close, mergeInto }: PageProps & { mergeInto: (into: string) => void }) {
  const [typed, setTyped] = useState(name);
  const [fault, setFault] = useState<string | null>(null);
  const wanted = typed.trim();
  const taken = wanted !== name && session.store.classNames.value.includes(wanted);
  const rename = async (): Promise<void> => {
    const reason = await session.edits.tryTo("classes.rename", { old: name, new: wanted });
    if (reason === null) close();
    else setFault(reason);
  };
  return (
    <Form
      submit={taken ? `Merge into ${wanted}…` : "Rename"}
      off={wanted === "" || wanted === name}
      onSubmit={taken ? () => mergeInto(wanted) : rename}
      back={back}
    >
      <label>
        New name
        <input
          {...focusable}
          class="penstock-field"
          value={typed}
          maxLength={200}
          data-testid="penstock-class-name"
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setFault(null);
          }}
        />
      </label>
      <p class="penstock-note">Renames the class of {touch ?? "…"}. Query and weights follow.</p>
      <Reason bad={fault !== null}>{fault ?? (taken ? `The class “${wanted}” already exists.` : "")}</Reason>
    </Form>
  );
}

interface MergeProps extends PageProps {
  target: string | null;
  setTarget: (name: string | null) => void;
}

function Merge({ session, index, name, touch, back, close, target, setTarget }: MergeProps) {
  const names = session.store.classNames.value;
  const into = target === null ? -1 : names.indexOf(target);
  if (into < 0) return <Targets session={session} index={index} back={back} choose={setTarget} />;
  return <MergeNow {...{ session, index, name, touch, close, into }} back={() => setTarget(null)} />;
}

function MergeNow({ session, index, name, touch, back, close, into }: PageProps & { into: number }) {
  const [fault, setFault] = useState<string | null>(null);
  const other = session.store.classNames.value[into] ?? "";
  const after = useTouch(session, [index, into]);
  const merge = async (): Promise<void> => {
    const reason = await session.edits.tryTo("classes.merge", { names: [name], into: other });
    if (reason === null) close();
    else setFault(reason);
  };
  return (
    <Form submit={`Merge into ${other}`} off={false} onSubmit={merge} back={back}>
      <p class="penstock-note" data-testid="penstock-merge-note">
        Turns {touch ?? "…"} into <b>{other}</b>, which then has {after ?? "…"}. The class <b>{name}</b> is removed;
        Undo brings it back. The query follows.
      </p>
      <Reason bad={fault !== null}>{fault ?? ""}</Reason>
    </Form>
  );
}

const SHOWN = 40;

interface TargetsProps {
  session: Session;
  index: number;
  back: () => void;
  choose: (name: string) => void;
}

function Targets({ session, index, back, choose }: TargetsProps) {
  const [typed, setTyped] = useState("");
  const { store } = session;
  const names = store.classNames.value;
  const counts = store.dataset.value?.class_counts ?? [];
  const found = searchClasses(names, typed, SHOWN + 1).filter((one) => one !== index);
  const first = found[0];
  return (
    <Form
      submit="Choose"
      off={first === undefined}
      onSubmit={() => (first === undefined ? undefined : choose(names[first] ?? ""))}
      back={back}
    >
      <input
        {...focusable}
        class="penstock-field"
        aria-label={`Class to merge ${names[index]} into`}
        placeholder="merge into which class?"
        value={typed}
        data-testid="penstock-merge-search"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <ul class="penstock-choices" aria-label="Classes" onKeyDown={stepChoices}>
        {found.map((one) => (
          <li key={one}>
            <button {...focusable} type="button" onClick={() => choose(names[one] ?? "")}>
              <span>
                <span class="penstock-dot" style={{ background: classColor(one) }} /> {names[one]}
              </span>
              <span class="penstock-number">{countText(counts[one] ?? 0)}</span>
            </button>
          </li>
        ))}
      </ul>
    </Form>
  );
}

/** Why classes cannot be changed now, as a sentence; null where they can. */
export function whyFixed({ store }: Session): string | null {
  if (!store.isLive.value) return "Classes can be changed when the kernel runs.";
  const reason = store.dataset.value?.classes_fixed ?? null;
  return reason === null ? null : `Classes cannot be changed: ${reason}.`;
}

/** How many objects some classes have, in words; asked of the kernel, which counts samples too. */
function useTouch(session: Session, classes: number[]): string | null {
  const [touch, setTouch] = useState<Touch | null>(null);
  const { store } = session;
  useEffect(() => {
    let gone = false;
    if (!store.isLive.value) return undefined;
    store.rpc.call("classes.count", { classes }).then(
      ({ result }) => {
        if (!gone) setTouch(result);
      },
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [classes.join(), store.grid.value?.data]);
  return touch === null ? null : touchText(touch, store.dataset.value);
}

/** "31 objects in 25 images"; where labels have no boxes "25 images". */
export function touchText({ objects, samples }: Touch, dataset: DatasetInfo | null): string {
  const where = pluralText(samples, dataset?.image_tensor == null ? "sample" : "image");
  if (dataset?.paired) return `${pluralText(objects, "object")} in ${where}`;
  return objects === samples ? where : `${pluralText(objects, "label")} in ${where}`;
}
