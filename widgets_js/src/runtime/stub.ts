// What every widget carries: find the one runtime model of the kernel, unpack its bundle once a page, hand over.
interface Bundle {
  views: Record<string, (ctx: object) => undefined | (() => void)>;
}
interface Runtime {
  get(key: string): unknown;
}
interface Context {
  model: Runtime & { widget_manager?: { get_model?: (id: string) => Promise<Runtime> } };
  el: HTMLElement;
  host?: { getModel?: (reference: string) => Promise<Runtime> };
}

const KEY = Symbol.for("penstock.bundles");
const SHEETS = Symbol.for("penstock.sheets");

async function evaluate(code: BlobPart): Promise<Bundle> {
  const text = new Response(new Blob([code]).stream().pipeThrough(new DecompressionStream("gzip")));
  const url = URL.createObjectURL(new Blob([await text.text()], { type: "text/javascript" }));
  return import(url); // the url lives as long as the page: the second file imports it
}

function cached(sha: string, code: BlobPart): Promise<Bundle> {
  const page = globalThis as { [KEY]?: Map<string, Promise<Bundle>> };
  page[KEY] ??= new Map();
  const bundles = page[KEY];
  let bundle = bundles.get(sha);
  if (bundle === undefined) {
    bundle = evaluate(code);
    bundle.catch(() => bundles.delete(sha));
    bundles.set(sha, bundle);
  }
  return bundle;
}

async function runtimeOf({ host, model }: Context): Promise<Runtime> {
  const reference = String(model.get("_runtime"));
  if (host?.getModel) return host.getModel(reference);
  const manager = model.widget_manager;
  if (manager?.get_model) return manager.get_model(reference.replace(/^anywidget:/, ""));
  throw new Error("this front end gives no access to other widget models");
}

/** A host that shows widgets in a shadow root gives the runtime's style sheet to the page, where it does not reach them. */
function dress(el: HTMLElement, runtime: Runtime): void {
  const root = el.getRootNode();
  const css = runtime.get("_css");
  if (!(root instanceof ShadowRoot) || typeof css !== "string") return;
  const page = globalThis as { [SHEETS]?: Map<string, CSSStyleSheet> };
  page[SHEETS] ??= new Map();
  const sheet = page[SHEETS].get(css) ?? new CSSStyleSheet();
  if (!page[SHEETS].has(css)) sheet.replaceSync(css);
  page[SHEETS].set(css, sheet);
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
}

async function render(ctx: Context): Promise<undefined | (() => void)> {
  try {
    const runtime = await runtimeOf(ctx);
    dress(ctx.el, runtime);
    const bundle = await cached(String(runtime.get("sha")), runtime.get("code") as BlobPart);
    const view = bundle.views[String(ctx.model.get("_kind"))];
    if (view === undefined) throw new Error(`no view of kind ${String(ctx.model.get("_kind"))}`);
    return view(ctx);
  } catch (error) {
    const text = document.createElement("pre");
    text.dataset.testid = "penstock-fallback";
    text.textContent =
      "penstock: this front end cannot show the widget. Run this cell in JupyterLab 4 or Notebook 7 with anywidget 0.11.\n" +
      `(${error instanceof Error ? error.message : String(error)})`;
    ctx.el.replaceChildren(text);
    return undefined;
  }
}

export default { render };
