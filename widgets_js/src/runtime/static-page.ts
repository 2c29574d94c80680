// The script of a page that Python wrote as one file (penstock/widgets/_html.py): unpacks the bundle and shows the widget.
import { bytesOf, type PageContent, StaticModel } from "./static-model.ts";

interface Bundle {
  views: Record<string, (ctx: object) => undefined | (() => void)>;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

const page = JSON.parse(element("penstock-page").textContent) as PageContent;
const packed = new Blob([bytesOf(page.code)]).stream().pipeThrough(new DecompressionStream("gzip"));
const source = await new Response(packed).text();
const bundle: Bundle = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
const model = new StaticModel(page);
const signal = new AbortController().signal;
bundle.views[String(model.get("_kind"))]?.({ model, el: element("penstock-root"), signal });
