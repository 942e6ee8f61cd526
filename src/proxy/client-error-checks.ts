/** Questions to old about 4xx of new, of one route on one thread: how many may be asked, and what they have found. */

const MAX_PER_SECOND = 20;
const MAX_IN_FLIGHT = 8;
/** With each result those before it count for so much. */
const MEMORY = 0.98;
/** As if so many had been the client's fault: one result is no share yet. */
const DOUBT = 4;

export class ClientErrorChecks {
  #second = 0;
  #inSecond = 0;
  #inFlight = 0;
  /** Results, those of long ago counting less, and how many of them were new's alone. */
  #answered = 0;
  #alone = 0;

  /** False: enough are asked in this second, or at this moment. Each that is begun is to be `ended`. */
  begin(second: number): boolean {
    if (this.#second !== second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    if (this.#inSecond >= MAX_PER_SECOND || this.#inFlight >= MAX_IN_FLIGHT) return false;
    this.#inSecond++;
    this.#inFlight++;
    return true;
  }

  ended(): void {
    this.#inFlight--;
  }

  found(isAlone: boolean): void {
    this.#answered = this.#answered * MEMORY + 1;
    this.#alone = this.#alone * MEMORY + (isAlone ? 1 : 0);
  }

  /** Of one that was not asked: as often as was found among those that were. `chance`: from 0 up to 1. */
  guess(chance: number): boolean {
    return chance * (this.#answered + DOUBT) < this.#alone;
  }
}
