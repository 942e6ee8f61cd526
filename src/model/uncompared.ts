/** Why a pair could not be compared: never a match and never a mismatch. */
export const UNCOMPARED_REASONS = [
  "too_large",
  "aborted",
  "shed",
  "timeout",
  "failed",
  "streaming",
  "decode_failed",
  "too_deep",
] as const;
export type UncomparedReason = (typeof UNCOMPARED_REASONS)[number];
