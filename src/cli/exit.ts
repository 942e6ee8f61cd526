/** How a command ends, for scripts: fixed numbers, and the one error that carries them. */

export const EXIT_DONE = 0;
/** The answer is no: invalid rules, a refused action, a gateway that could not start. */
export const EXIT_NO = 1;
export const EXIT_USAGE = 2;
export const EXIT_UNREACHABLE = 3;

/** A failure that the user can do something about: its message is all that is printed, never a stack. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}
