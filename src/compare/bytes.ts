/** Bodies that are compared byte by byte: length, hash, and where they part ways. */

import { createHash } from "node:crypto";

import type { Difference } from "../model/reports.ts";

const count = new Intl.NumberFormat("en");

/**
 * The one difference of two bodies whose bytes differ. `conceal`: their sizes alone are shown; a hash gives a
 * short secret away to whoever tries all there are.
 */
export function bytesDifference(oldBytes: Uint8Array, newBytes: Uint8Array, conceal: boolean): Difference {
  let at = 0;
  while (at < oldBytes.length && at < newBytes.length && oldBytes[at] === newBytes[at]) at++;
  const shown = (bytes: Uint8Array): string =>
    conceal || bytes.byteLength === 0
      ? sizeText(bytes)
      : `${sizeText(bytes)}, sha256 ${hashOf(bytes)}…, first unlike byte at ${count.format(at)}`;
  return bodyDifference(shown(oldBytes), shown(newBytes));
}

/** "12,345 bytes", "(empty)". */
export function sizeText(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return "(empty)";
  return `${count.format(bytes.byteLength)} ${bytes.byteLength === 1 ? "byte" : "bytes"}`;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8);
}

/** A difference of two bodies as wholes. */
export function bodyDifference(oldText: string, newText: string): Difference {
  return { place: "body", template: "body", kind: "body", old: oldText, new: newText, relation: null };
}
