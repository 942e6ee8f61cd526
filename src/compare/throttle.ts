/** Holds back what is dear to send: so many a second for each name. */

interface Second {
  startMs: number;
  count: number;
}

/** `admit` says whether one more may go now. Names come from the rules, so there are few. */
export interface Throttle {
  admit(name: string, nowMs: number): boolean;
}

export function createThrottle(perSecond: number): Throttle {
  const seconds = new Map<string, Second>();
  return {
    admit(name, nowMs) {
      const known = seconds.get(name);
      if (known === undefined || nowMs - known.startMs >= 1000) {
        seconds.set(name, { startMs: nowMs, count: 1 });
        return true;
      }
      return ++known.count <= perSecond;
    },
  };
}
