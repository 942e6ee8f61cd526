/** The pinned keys of all routes on one data thread. */

import type { PinChange } from "../model/pins.ts";
import type { Side } from "../model/ruleset.ts";

export class Pins {
  readonly #byRoute = new Map<string, Map<string, Side>>();

  constructor(pins: readonly PinChange[]) {
    this.take(pins);
  }

  /** Those of a route by name, always the same map: it follows later changes, and lives through reloads. */
  of(route: string): ReadonlyMap<string, Side> {
    return this.#of(route);
  }

  /** Also of routes that the rules do not name at present: they come back with their pins. */
  take(changes: readonly PinChange[]): void {
    for (const { route, key, side } of changes) {
      if (side === null) this.#of(route).delete(key);
      else this.#of(route).set(key, side);
    }
  }

  #of(route: string): Map<string, Side> {
    const known = this.#byRoute.get(route);
    if (known !== undefined) return known;
    const pins = new Map<string, Side>();
    this.#byRoute.set(route, pins);
    return pins;
  }
}
