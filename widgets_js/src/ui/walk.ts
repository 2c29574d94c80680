/** Up and down go through the entries of a menu or list. */
export function walk(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const list = event.currentTarget as HTMLElement;
  const entries = [...list.querySelectorAll<HTMLElement>("input, button:not(:disabled)")];
  const at = entries.indexOf((list.getRootNode() as Document).activeElement as HTMLElement);
  const step = event.key === "ArrowDown" ? 1 : -1;
  entries[(at + step + entries.length) % entries.length]?.focus();
  event.preventDefault();
}
