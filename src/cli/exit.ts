/** How a command ends, for scripts: fixed numbers, and the one error that carries them. */

export const EXIT_DONE = 0;
/** The answer is no: invalid rules, a refused action, a gateway that could not start. */
export const EXIT_NO = 1;
export const EXIT_USAGE = 2;
export const EXIT_UNREACHABLE = 3;

/** What `-o json` prints of a failure: never less than whether, and why. */
export function failureReport({ message, fields }: CliError): object {
  return { ok: false, error: message, ...fields };
}

/** A failure that the user can do something about: its message is all that is printed, never a stack. */
export class CliError extends Error {
  readonly exitCode: number;
  /** What `-o json` shows beside `ok`; `error` in it goes before the message. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(message: string, exitCode: number, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
    this.fields = fields;
  }
}
