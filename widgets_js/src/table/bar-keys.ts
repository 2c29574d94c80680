// Bars by keyboard: the arrows walk over them, with Shift they take in their neighbors, Enter selects.
import type { ColumnProfile } from "../session/protocol.ts";
import { selectable } from "./profile-layout.ts";

/** `at` moves; the bars from `anchor` to `at` are chosen. */
export interface BarCursor {
  anchor: number;
  at: number;
}

export function barsOf(cursor: BarCursor): [number, number] {
  return [Math.min(cursor.anchor, cursor.at), Math.max(cursor.anchor, cursor.at)];
}

/** Where a key takes the cursor; null for keys that are not of the bars. */
export function moveCursor(
  profile: ColumnProfile,
  cursor: BarCursor | null,
  key: string,
  extend: boolean,
): BarCursor | null {
  const last = profile.bars.length - 1;
  const targets: Record<string, number> = {
    ArrowLeft: (cursor?.at ?? 1) - 1,
    ArrowRight: (cursor?.at ?? -1) + 1,
    Home: 0,
    End: last,
  };
  const target = targets[key];
  if (target === undefined || last < 0) return null;
  const at = Math.min(last, Math.max(0, target));
  if (!extend || cursor === null) return { anchor: at, at };
  const bars = selectable(profile, cursor.anchor, at);
  if (bars === null) return cursor;
  return { anchor: cursor.anchor, at: at < cursor.anchor ? bars[0] : bars[1] };
}
