/** JSON as people read it, also where it was cut. */

/** Deeper levels are not indented further: 10,000 levels would be 100 MB of blanks. */
const MAX_INDENT = 24;
const OPENERS = "{[";
const CLOSERS = "}]";

/**
 * JSON text on several lines. Only blanks between the tokens change: long numbers, repeated names, their order and
 * escapes stay as they were, so it may be cut text too.
 */
export function indentJson(text: string): string {
  const pieces: string[] = [];
  let depth = 0;
  let opened = false;
  // Strings, the last of which may be cut; what stands alone; everything else but blanks.
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|[{}[\],:]|[^\s"{}[\],:]+/g)) {
    if (CLOSERS.includes(token)) {
      depth = Math.max(0, depth - 1);
      // An empty object or array stays on its line.
      if (!opened) pieces.push(lineBreak(depth));
    } else if (opened) pieces.push(lineBreak(depth));
    opened = OPENERS.includes(token);
    if (opened) depth++;
    pieces.push(token);
    if (token === ":") pieces.push(" ");
    else if (token === ",") pieces.push(lineBreak(depth));
  }
  return pieces.join("");
}

function lineBreak(depth: number): string {
  return `\n${"  ".repeat(Math.min(depth, MAX_INDENT))}`;
}

/** Whether a text looks like JSON with something in it to indent; it may be cut. */
export function looksLikeJson(text: string, contentType: string | undefined): boolean {
  if (contentType !== undefined && !/[/+]json\b/i.test(contentType)) return false;
  return /^\s*[[{]/.test(text);
}
