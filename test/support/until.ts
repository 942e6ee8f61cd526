/** Waits until something holds; the deadline is generous and only there against hangs. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { withinMs = 60_000, everyMs = 20 }: { withinMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await probe();
    if (value) return value as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Waits until a growing number has stopped growing for half a second. */
export async function standstill(what: string, count: () => number): Promise<void> {
  let last = -1;
  let sinceMs = Date.now();
  await until(what, () => {
    const now = count();
    if (now !== last) sinceMs = Date.now();
    last = now;
    return now > 0 && Date.now() - sinceMs > 500;
  });
}
