/** Long work of a data thread in small steps, one a turn of the event loop: clients' turns come in between. */
export class Chores {
  readonly #waiting: (() => boolean)[] = [];
  readonly #takeTurn = (): void => this.#run();

  /** `step` does a little and returns its result when all is done, null before; chores go one after another. */
  run<T>(step: () => T | null): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const isDone = (): boolean => {
      try {
        const result = step();
        if (result === null) return false;
        resolve(result);
      } catch (error) {
        reject(error);
      }
      return true;
    };
    if (this.#waiting.push(isDone) === 1) setImmediate(this.#takeTurn);
    return promise;
  }

  #run(): void {
    if (this.#waiting[0]?.()) this.#waiting.shift();
    if (this.#waiting.length > 0) setImmediate(this.#takeTurn);
  }
}
