/** `split.newFile`: one key a line, read as a stream into sorted fingerprints. */

import { createHash } from "node:crypto";
import { createKeySetBuilder } from "../model/keyset.ts";
import type { KeyFile } from "../model/ruleset.ts";
import { decodeUtf8, ReadError, withFile } from "./read.ts";

const MAX_FILE_BYTES = 512 * 2 ** 20;
const MAX_LINE_BYTES = 4096;
/** Of a larger one the lines are so many that they outlive a young collection: twice the work for the collector. */
const CHUNK_BYTES = 2 ** 16;
const NEWLINE = 0x0a;

/** A mistake within the key file, at a line from 1. */
export class KeyLineError extends ReadError {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** Reads a key file; the digest is of its bytes. Throws a ReadError, or a KeyLineError for a bad line. */
export async function readKeyFile(path: string, secret: string): Promise<{ keys: KeyFile; digest: string }> {
  return await withFile(path, async (file, sizeBytes) => {
    if (sizeBytes > MAX_FILE_BYTES) throw new ReadError("it is larger than 512MiB");
    const digest = createHash("sha256");
    const builder = createKeySetBuilder(secret);
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let carried = 0; // bytes of an unfinished line at the start of the buffer
    let lines = 0;
    let totalBytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, carried, CHUNK_BYTES - carried, null);
      digest.update(buffer.subarray(carried, carried + bytesRead));
      totalBytes += bytesRead;
      if (totalBytes > MAX_FILE_BYTES) throw new ReadError("it is larger than 512MiB");
      const filled = carried + bytesRead;
      const whole = bytesRead === 0 ? filled : buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
      if (filled - whole > MAX_LINE_BYTES) throw tooLong(lines + countLines(buffer.subarray(0, whole)) + 1);
      lines += addKeys(buffer.subarray(0, whole), lines, builder.add);
      if (bytesRead === 0) break;
      buffer.copyWithin(0, whole, filled);
      carried = filled - whole;
    }
    return { keys: { path, secret, ...builder.finish() }, digest: digest.digest("hex") };
  });
}

/** Adds the keys of whole lines; returns how many lines there were. */
function addKeys(bytes: Uint8Array, linesBefore: number, add: (key: string) => void): number {
  const lines = decodeLines(bytes, linesBefore).split("\n");
  // After the last newline nothing follows, unless the file ends without one.
  if (lines.at(-1) === "") lines.pop();
  for (const [index, line] of lines.entries()) {
    // A character takes at least one byte and at most three for each UTF-16 unit.
    if (line.length > MAX_LINE_BYTES / 3 && Buffer.byteLength(line) > MAX_LINE_BYTES)
      throw tooLong(linesBefore + index + 1);
    const key = withoutComment(line).trim();
    if (key !== "") add(key);
  }
  return lines.length;
}

/** As in YAML: a # begins a comment at the start of a line and after white space; within a key it is part of it. */
function withoutComment(line: string): string {
  return line.includes("#") ? line.replace(/(?<=^|\s)#.*$/s, "") : line;
}

function decodeLines(bytes: Uint8Array, linesBefore: number): string {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (error instanceof ReadError) throw new KeyLineError(error.message, linesBefore + firstBadLine(bytes));
    throw error;
  }
}

/** The line, from 1, that is not UTF-8. */
function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    try {
      decodeUtf8(bytes.subarray(start, end));
    } catch {
      return line; // which is what was looked for
    }
    start = end + 1;
  }
  return line;
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

const tooLong = (line: number) =>
  new KeyLineError(`this line is longer than ${MAX_LINE_BYTES} bytes: a key file has one key a line`, line);
