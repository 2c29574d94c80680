/** What is wrong with the imports under `root`, a line each. */
export function faults(root: string): string[];
