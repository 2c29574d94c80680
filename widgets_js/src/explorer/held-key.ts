import type { DatasetInfo } from "../session/protocol.ts";

/** What tells one holder from the next. */
export function heldKey({ pid, host, since }: NonNullable<DatasetInfo["holder"]>): string {
  return `${pid} ${host} ${since}`;
}
