/**
 * Failing answers on their way from one data thread to control: a ring in shared memory, one writer, one
 * reader. Full, it drops events of both sides alike and counts them: what is left is still a fair sample of
 * whose failures they were.
 */

import type { Side } from "../model/ruleset.ts";
import { SIDE_INDEX, SIDES } from "./layout.ts";

/** `…-alone`: said besides, of a failure of new, once old has answered the same well or could not be asked. */
export const EVENT_KINDS = ["error", "client-error", "slow", "error-alone", "client-error-alone"] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface RingEvent {
  /** Slot of the route's tile. */
  readonly slot: number;
  readonly kind: EventKind;
  readonly side: Side;
  readonly rhoPpm: number;
  /** 16 hex digits; null: keyless. */
  readonly unit: string | null;
}

const HEAD = 0;
const TAIL = 1;
const DROPPED = 2;
const HEADER_WORDS = 16;
const EVENT_WORDS = 6;
const CAPACITY = 8192;

export class EventRing {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer((HEADER_WORDS + CAPACITY * EVENT_WORDS) * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** By the data thread. */
  push(event: RingEvent): void {
    const words = this.#words;
    const head = Atomics.load(words, HEAD);
    if (((head - Atomics.load(words, TAIL)) | 0) >= CAPACITY) {
      Atomics.add(words, DROPPED, 1);
      return;
    }
    const at = HEADER_WORDS + (head & (CAPACITY - 1)) * EVENT_WORDS;
    words[at] = event.slot;
    words[at + 1] = EVENT_KINDS.indexOf(event.kind);
    words[at + 2] = SIDE_INDEX[event.side];
    words[at + 3] = event.rhoPpm;
    words[at + 4] = event.unit === null ? 0 : Number.parseInt(event.unit.slice(0, 8), 16) | 0;
    words[at + 5] = event.unit === null ? 0 : Number.parseInt(event.unit.slice(8, 16), 16) | 0;
    Atomics.store(words, HEAD, (head + 1) | 0);
  }

  /** By control: hands over everything that is there, oldest first. */
  drain(take: (event: RingEvent) => void): void {
    const words = this.#words;
    const head = Atomics.load(words, HEAD);
    let tail = Atomics.load(words, TAIL);
    for (; tail !== head; tail = (tail + 1) | 0) {
      take(this.#read(HEADER_WORDS + (tail & (CAPACITY - 1)) * EVENT_WORDS));
    }
    Atomics.store(words, TAIL, tail);
  }

  get dropped(): number {
    return Atomics.load(this.#words, DROPPED);
  }

  #read(at: number): RingEvent {
    const words = this.#words;
    const high = (words[at + 4] as number) >>> 0;
    const low = (words[at + 5] as number) >>> 0;
    return {
      slot: words[at] as number,
      kind: EVENT_KINDS[words[at + 1] as number] as EventKind,
      side: SIDES[words[at + 2] as number] as Side,
      rhoPpm: words[at + 3] as number,
      unit: high === 0 && low === 0 ? null : hex32(high) + hex32(low),
    };
  }
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
