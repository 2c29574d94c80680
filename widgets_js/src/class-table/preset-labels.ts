import type { PresetName } from "../session/protocol.ts";

/** What presets are called. */
export const PRESET_LABELS: Readonly<Record<PresetName, string>> = {
  raw: "raw",
  balanced: "balanced",
  square_root: "square root",
  effective_number: "effective number",
  repeat_factor: "repeat factor",
};
