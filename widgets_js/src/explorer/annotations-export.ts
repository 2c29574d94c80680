// An export of annotations: what is asked for, and how it goes. Kept with the session, so that it goes on, and its report
// waits, when the menu is closed.
import { batch, computed, type Signal, signal } from "@preact/signals";
import { inWords } from "../session/edit-session.ts";
import type { AnnotationsRequest, ExportFormat, Ops } from "../session/protocol.ts";
import { isCancelled, RpcFailure } from "../session/rpc.ts";
import type { Session } from "../session/session.ts";
import { pluralText } from "../ui/number-text.ts";

const LANE = "export";

/** What is said when it is over. */
export interface Outcome {
  kind: "done" | "exists" | "failed";
  text: string;
  issues: readonly string[];
}

export class AnnotationsExport {
  readonly formats: Signal<readonly ExportFormat[]> = signal([]);
  readonly folder = signal("");
  readonly name = signal("");
  readonly chosenImages = signal<"copy" | "link" | null>(null);
  readonly options = signal<Readonly<Record<string, string>>>({});
  readonly queryOnly = signal(true);
  /** As typed; null: the usual place. */
  readonly typed = signal<string | null>(null);
  readonly running = signal<{ done: number; total: number | null } | null>(null);
  readonly outcome = signal<Outcome | null>(null);
  readonly format = computed(() => this.formats.value.find(({ name }) => name === this.name.value) ?? null);
  /** As chosen, where the format can do that; what one format needs is not asked of the next. */
  readonly images = computed(() => {
    const format = this.format.value;
    const chosen = this.chosenImages.value;
    if (chosen !== null && format?.images.includes(chosen)) return chosen;
    return format?.needs_images ? (format.images[0] ?? null) : null;
  });
  readonly path = computed(() => this.typed.value ?? this.usualPath());
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  /** Ask what there is, each time the menu opens: the dataset and the folder may have changed. */
  async look(): Promise<void> {
    try {
      const { result } = await this.session.store.rpc.call("export.formats", {});
      batch(() => {
        this.formats.value = result.formats;
        this.folder.value = result.folder;
        if (this.format.value === null) this.choose((result.formats.find(isPossible) ?? result.formats[0])?.name ?? "");
      });
    } catch (failure) {
      this.fail(failure);
    }
  }

  choose(name: string): void {
    batch(() => {
      this.name.value = name;
      this.options.value = {};
      this.outcome.value = null;
      this.typed.value = null; // a name for one format is seldom one for another
    });
  }

  /** Change what is asked for: what was said of another export no longer counts. */
  ask(change: () => void): void {
    batch(() => {
      change();
      this.outcome.value = null;
    });
  }

  request(): AnnotationsRequest {
    return {
      format: this.name.value,
      path: this.path.value,
      query_only: this.queryOnly.value,
      images: this.images.value,
      options: Object.entries(this.options.value).filter(([, value]) => value !== "") as [string, string][],
    };
  }

  async run(overwrite = false): Promise<void> {
    if (this.running.value !== null) return;
    batch(() => {
      this.running.value = { done: 0, total: null };
      this.outcome.value = null;
    });
    try {
      const onProgress = (done: number, total: number | null): void => {
        this.running.value = { done, total };
      };
      await this.session.edits.settle();
      const args = { ...this.request(), overwrite };
      const { result } = await this.session.store.rpc.call("export.annotations", args, { lane: LANE, onProgress });
      this.finish(result);
    } catch (failure) {
      if (isCancelled(failure)) this.say({ kind: "failed", text: "Canceled. Nothing was written.", issues: [] });
      else this.fail(failure);
    } finally {
      this.running.value = null;
    }
  }

  cancel(): void {
    this.session.store.rpc.cancelLane(LANE);
  }

  async code(): Promise<string | null> {
    try {
      return (await this.session.store.rpc.call("export.annotations_code", this.request())).result.code;
    } catch (failure) {
      this.fail(failure);
      return null;
    }
  }

  private finish({ path, exists, report }: Ops["export.annotations"][1]): void {
    if (exists !== null) this.say({ kind: "exists", text: `The ${exists} ${path} already exists.`, issues: [] });
    if (report === null) return;
    const counts = `${pluralText(report.num_samples, "image")}, ${pluralText(report.num_objects, "object")}`;
    const more = report.num_issues - report.issues.length;
    const issues = more > 0 ? [...report.issues, `and ${more} more`] : report.issues;
    this.say({ kind: "done", text: `${counts} in ${path}`, issues });
    this.session.toast(`Exported ${counts}`);
  }

  private fail(failure: unknown): void {
    const text = failure instanceof RpcFailure ? inWords(failure.error) : String(failure);
    this.say({ kind: "failed", text, issues: [] });
  }

  private say(outcome: Outcome): void {
    this.outcome.value = outcome;
    this.session.store.actions.announce(outcome.text);
  }

  private usualPath(): string {
    const places = this.format.value?.places ?? {};
    return (this.images.value === null ? (places.file ?? places.folder) : places.folder) ?? "";
  }
}

const isPossible = ({ why_not }: ExportFormat): boolean => why_not === null;

const known = new WeakMap<Session, AnnotationsExport>();

export function annotationsExport(session: Session): AnnotationsExport {
  const found = known.get(session) ?? new AnnotationsExport(session);
  known.set(session, found);
  return found;
}
