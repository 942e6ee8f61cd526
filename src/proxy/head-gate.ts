/**
 * Looks at each answer's status line before undici's parser does. undici ends the connection at a `100 Continue`
 * that it did not ask for, takes HTTP/2.0 and 099 for answers and an unasked 101 for an interim one, and decodes
 * the reason as UTF-8: here the first is taken out, the next are refused, and the last can be had as it came.
 */

import type { Socket } from "node:net";
import { type buildConnector, Client, type Dispatcher } from "undici";
import { ProxyError } from "./classify.ts";

/** A reason phrase is at most a sentence. */
const MAX_STATUS_LINE_BYTES = 8 * 1024;
/** One interim answer waits for its end within this. */
const MAX_INTERIM_BYTES = 16 * 1024;
/** Progress once a second for a minute is plausible; more is a flood. */
const MAX_INTERIMS = 64;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const HEAD_END = Buffer.from("\r\n\r\n");
const PREFIX = Buffer.from("HTTP/1.");

/** A request as its gate knows it. */
export interface Gated {
  /** It asked for another protocol, so that a 101 may be its answer. */
  readonly maySwitch: boolean;
  /** Where its answer will come from; called once its connection is chosen. */
  passThrough(gate: HeadGate): void;
  /** Ends the request and its connection. */
  abort(error: ProxyError): void;
  /** The connection was reset: what ends with it is not whole. */
  connectionReset(): void;
}

export class HeadGate {
  #gated: Gated | null = null;
  /** The final status line went by, or no answer is due: bytes go on unseen. */
  #open = true;
  #held: Buffer | null = null;
  #interims = 0;
  #final: Buffer | null = null;
  #isHttp10 = false;
  #socket: Socket | null = null;

  /** The request is about to be written: the next bytes must be its answer. */
  await(gated: Gated): void {
    this.#gated = gated;
    this.#open = false;
    this.#held = null;
    this.#interims = 0;
  }

  get isHttp10(): boolean {
    return this.#isHttp10;
  }

  /** The final answer's reason phrase, each byte one character. */
  reason(): string {
    const bytes = this.#final;
    return bytes === null ? "" : bytes.toString("latin1", 13, bytes.indexOf(LF) - 1);
  }

  /** The request has ended: nothing of it is kept in memory. */
  done(gated: Gated): void {
    if (this.#gated !== gated) return;
    this.#gated = null;
    this.#final = null;
  }

  /** Nothing more is asked on this connection. */
  endConnection(): void {
    this.#socket?.destroy();
  }

  /** Stands between a new connection and whoever reads it. */
  guard(socket: Socket): void {
    const read = socket.read;
    socket.read = (size?: number) => {
      const chunk = read.call(socket, size);
      return this.#open || chunk === null ? chunk : this.#inspect(chunk);
    };
    this.#open = true;
    this.#socket = socket;
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET") this.#gated?.connectionReset();
    });
  }

  /** What of a chunk the parser may see; null: nothing yet. */
  #inspect(chunk: Buffer): Buffer | null {
    let bytes = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = null;
    let passed: Buffer | null = null;
    while (bytes.length > 0) {
      const lineEndAt = lineEnd(bytes);
      if (lineEndAt === -1) {
        if (bytes.length > MAX_STATUS_LINE_BYTES || !couldBegin(bytes)) {
          return this.#refuse("the answer does not begin with an HTTP/1 status line");
        }
        this.#held = bytes;
        return passed;
      }
      const status = statusOf(bytes, lineEndAt);
      if (status === 0) return this.#refuse("the answer does not begin with an HTTP/1 status line");
      if (status >= 200 || (status === 101 && this.#gated?.maySwitch)) {
        this.#open = true;
        this.#isHttp10 = bytes[7] === 0x30;
        this.#final = bytes;
        return passed === null ? bytes : Buffer.concat([passed, bytes]);
      }
      if (status === 101) return this.#refuse("the backend switched protocols unasked");
      if (++this.#interims > MAX_INTERIMS) return this.#refuse("too many interim answers");
      const headEndAt = bytes.indexOf(HEAD_END, lineEndAt - 1);
      if (headEndAt === -1) {
        if (bytes.length > MAX_INTERIM_BYTES) return this.#refuse("an interim answer is too large");
        this.#interims--; // it is counted once it is whole
        this.#held = bytes;
        return passed;
      }
      const interim = bytes.subarray(0, headEndAt + HEAD_END.length);
      if (interim.length > MAX_INTERIM_BYTES) return this.#refuse("an interim answer is too large");
      // The gateway answers Expect itself and passes none on: this 100 tells nobody anything.
      if (status !== 100) passed = passed === null ? interim : Buffer.concat([passed, interim]);
      bytes = bytes.subarray(interim.length);
    }
    return passed;
  }

  #refuse(why: string): null {
    this.#open = true;
    this.#gated?.abort(new ProxyError("http_protocol_error", why));
    return null;
  }
}

/** Most status lines end within so many bytes: a loop over them costs less than a call out of JavaScript. */
const NEAR_BYTES = 48;

/** Where the first line ends; -1: not within these bytes. */
function lineEnd(bytes: Buffer): number {
  const near = Math.min(bytes.length, NEAR_BYTES);
  for (let i = 0; i < near; i++) if (bytes[i] === LF) return i;
  return near === bytes.length ? -1 : bytes.indexOf(LF, near);
}

/** Whether bytes without a line's end may be the beginning of a status line. */
function couldBegin(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, PREFIX.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== PREFIX[i]) return false;
  return true;
}

/** The status of `HTTP/1.x NNN[ reason]CRLF`; 0: it is no such line, or no status of RFC 9110 §15. */
function statusOf(bytes: Buffer, lineEndAt: number): number {
  if (lineEndAt < 13 || lineEndAt > MAX_STATUS_LINE_BYTES || bytes[lineEndAt - 1] !== CR) return 0;
  if (!couldBegin(bytes) || (bytes[7] !== 0x31 && bytes[7] !== 0x30) || bytes[8] !== SPACE) return 0;
  if (bytes[12] !== SPACE && lineEndAt !== 13) return 0;
  let status = 0;
  for (let i = 9; i < 12; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status >= 100 && status <= 599 ? status : 0;
}

/** One connection of a pool, with its gate. */
class GatedClient extends Client {
  readonly #gate: HeadGate;

  constructor(origin: URL, options: Client.Options) {
    const gate = new HeadGate();
    const connect = options.connect as buildConnector.connector;
    super(origin, {
      ...options,
      connect: (to, done) => {
        // The name to verify is the backend's own (the rules' or its URL's), whatever Host a client sends.
        connect({ ...to, servername: "" }, (...result) => {
          if (result[0] === null) gate.guard(result[1]);
          done(...result);
        });
      },
    });
    this.#gate = gate;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isGated(handler)) handler.passThrough(this.#gate);
    return super.dispatch(options, handler);
  }
}

function isGated(handler: object): handler is Gated {
  return "passThrough" in handler;
}

/** For a pool's `factory`: its connections are looked at by their gates. Needs `pipelining: 1`. */
export function gatedClient(origin: URL, options: object): Client {
  return new GatedClient(origin, options);
}
