// The script of a page that Python wrote as one file (penstock/widgets/_html.py): unpacks the bundle and shows the widget.
import { bytesOf, kernelOf, type PageContent, StaticModel } from "./static-model.ts";

interface Bundle {
  views: Record<string, (ctx: object) => undefined | (() => void)>;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

function unpacked(base64: string): Response {
  return new Response(new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip")));
}

const page = JSON.parse(element("penstock-page").textContent) as PageContent;
const [source, tiles, samples] = await Promise.all([
  unpacked(page.code).text(),
  unpacked(element("penstock-tiles").textContent).arrayBuffer(),
  unpacked(element("penstock-samples").textContent).arrayBuffer(),
]);
const bundle: Bundle = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
const model = new StaticModel(page.state, kernelOf(page, tiles, samples));
const signal = new AbortController().signal;
bundle.views[String(model.get("_kind"))]?.({ model, el: element("penstock-root"), signal });
