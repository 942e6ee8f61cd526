/** What `work` resolves to, or undefined where it takes longer; it goes on in that case. */
export async function within<T>(work: Promise<T>, patienceMs: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), patienceMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
