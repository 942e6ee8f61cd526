/** The words of x-cutover-reason, in the order in which the board counts them: append only. */
export const REASONS = [
  "pinned-old",
  "pinned-new",
  "forced",
  "rolled-back",
  "split-new",
  "canary-never",
  "canary-always",
  "canary-share",
  "default-old",
  "fallback",
  "unmatched",
] as const;

export type Reason = (typeof REASONS)[number];

export const REASON_INDEX: Readonly<Record<Reason, number>> = Object.fromEntries(
  REASONS.map((reason, index) => [reason, index]),
) as Record<Reason, number>;
