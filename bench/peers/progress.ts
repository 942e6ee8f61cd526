/** Tells on standard error how far a run is: in place on a terminal, a line now and then elsewhere. */

const LINE_EVERY_MS = 10_000;

export interface Progress {
  /** What is going on. */
  tell(what: string): void;
  /** As `tell`; one of the steps that the run was said to have. */
  step(what: string): void;
  failed(name: string, why: string): void;
  done(): void;
}

/** `steps`: how many there will be, as far as one can know. */
export function createProgress(stream: NodeJS.WriteStream, steps: number): Progress {
  const begunMs = performance.now();
  let taken = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  const write = (what: string): void => {
    const nowMs = performance.now();
    const text = `${String(taken).padStart(4)}/${steps}  ${minutes(nowMs - begunMs)}  ${what}`;
    if (stream.isTTY) stream.write(`\r\x1b[K${text}`);
    else if (nowMs - toldMs >= LINE_EVERY_MS) {
      toldMs = nowMs;
      stream.write(`${text}\n`);
    }
  };
  return {
    tell: write,
    step: (what) => {
      taken++;
      write(what);
    },
    failed: (name, why) => {
      stream.write(`${stream.isTTY ? "\r\x1b[K" : ""}${name} failed: ${why}\n`);
    },
    done: () => {
      if (stream.isTTY) stream.write("\r\x1b[K");
    },
  };
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
