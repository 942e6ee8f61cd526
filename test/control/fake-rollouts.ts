/** Latches where no route has a rollout. */

import type { RolloutsBehind } from "../../src/control/latches.ts";

export const NO_ROLLOUTS: RolloutsBehind = {
  placeOf: () => null,
  rolledBack: () => {},
  opening: () => null,
  opens: () => {},
};
