import type { BuildOptions } from "esbuild";

export function lazyModules(root: string): string[];
export function bundles(root: string, options: BuildOptions): Promise<{ first: string; second: string }>;
