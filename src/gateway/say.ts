/** To people, on stderr, a line each; programs read the log on stdout. */
export function say(...lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`cutover: ${line}\n`);
}
