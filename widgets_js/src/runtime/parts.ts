// The second file of the build (build.mjs): what is needed later than the first paint. A page loads it once for each build,
// from whichever widget answers; it shares every module with the first file, and only with the one it was built with.

declare const PENSTOCK_BUILD: string; // set by build.mjs; without a build, imports are the platform's own

/** Returns the gzip of the second file. */
export type PartSource = () => Promise<BlobPart>;

interface Second {
  parts: Record<string, unknown>;
}

const SOURCE_MS = 10_000;
const OTHER_BUILD = "This widget was made by another version of penstock. Run its cell again.";

const sources = new Set<PartSource>();
let waiting: (() => void)[] = [];
let second: Promise<Second> | null = null;

/** A widget can be asked for the second file, until the returned function is called. */
export function offerParts(source: PartSource): () => void {
  sources.add(source);
  for (const go of waiting.splice(0)) go();
  return () => sources.delete(source);
}

/** What `import("…")` of a module of the second file becomes in the build. */
export async function loadPart(name: string): Promise<unknown> {
  const asked = second ?? loadSecond();
  second = asked;
  try {
    return (await asked).parts[name];
  } catch (failure) {
    if (second === asked) second = null; // the next one asks again
    throw failure;
  }
}

/** Load it before it is needed; a failure shows where it is. */
export function expectParts(): void {
  if (typeof PENSTOCK_BUILD !== "undefined") loadPart("").catch(() => {});
}

async function loadSecond(): Promise<Second> {
  if (sources.size === 0) await someSource();
  const packed = await firstAnswer();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).text();
  if (!text.startsWith(`/*${PENSTOCK_BUILD}*/`)) throw new Error(OTHER_BUILD);
  const bound = text.replaceAll('"penstock:first"', JSON.stringify(import.meta.url));
  const url = URL.createObjectURL(new Blob([bound], { type: "text/javascript" }));
  return import(/* @vite-ignore */ url);
}

function someSource(): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting = waiting.filter((one) => one !== go);
      reject(new Error("The kernel does not answer."));
    }, SOURCE_MS);
    const go = (): void => {
      clearTimeout(timer);
      resolve();
    };
    waiting.push(go);
  });
}

/** The widget that was opened last is asked first; one that is closed meanwhile is passed over. */
async function firstAnswer(): Promise<BlobPart> {
  let last: unknown = new Error("The kernel does not answer.");
  for (const source of [...sources].reverse()) {
    try {
      return await source();
    } catch (failure) {
      last = failure;
    }
  }
  throw last;
}
