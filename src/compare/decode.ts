/** Content codings and character sets: from the bytes of the wire to the bytes and the text that they mean. */

import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";

/** A decoded body never grows beyond it: a few kilobytes can claim to be gigabytes. */
export const MAX_DECODED_BYTES = 8 * 1024 * 1024;

/** One coding is the rule and two an accident; every further one is another chance to multiply. */
const MAX_CODINGS = 3;

/** RFC 8878 asks receivers for windows of 8 MiB; more is memory that a hostile frame header asks for. */
const ZSTD_WINDOW_LOG_MAX = 23;

/**
 * `refused` is our own bound or a coding that we do not know: nothing is said about the answer.
 * `corrupt` is the answer's fault: no client could have read it.
 */
type Decoded =
  | { readonly kind: "decoded"; readonly bytes: Uint8Array }
  | { readonly kind: "refused" | "corrupt"; readonly why: string };

type Inflate = (bytes: Uint8Array, maxOutputLength: number) => Uint8Array;

const INFLATE: Readonly<Record<string, Inflate>> = {
  gzip: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  "x-gzip": (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  deflate: (bytes, maxOutputLength) =>
    (hasZlibHead(bytes) ? inflateSync : inflateRawSync)(bytes, { maxOutputLength }),
  br: (bytes, maxOutputLength) => brotliDecompressSync(bytes, { maxOutputLength }),
  zstd: (bytes, maxOutputLength) =>
    zstdDecompressSync(bytes, {
      maxOutputLength,
      params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
    }),
};

/** "deflate" means zlib (RFC 9110), but raw streams are sent by that name too; only zlib has this head. */
function hasZlibHead(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  const second = bytes[1] ?? 0;
  return (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
}

/** The codings of a Content-Encoding value in the order in which they were applied; identity left out. */
export function codingsOf(contentEncoding: string | null): readonly string[] {
  if (contentEncoding === null) return [];
  return contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
}

/** Undoes every content coding. Never throws and never makes more than `maxBytes` at any stage. */
export function decodeContent(
  body: Uint8Array,
  contentEncoding: string | null,
  maxBytes: number = MAX_DECODED_BYTES,
): Decoded {
  const codings = codingsOf(contentEncoding);
  if (codings.length > MAX_CODINGS)
    return { kind: "refused", why: `more than ${MAX_CODINGS} content codings` };
  let bytes = body;
  for (const coding of codings.toReversed()) {
    // An empty body is what a bodiless answer has under any coding; no codec accepts it.
    if (bytes.byteLength === 0) break;
    if (!Object.hasOwn(INFLATE, coding)) return { kind: "refused", why: "unknown content coding" };
    try {
      bytes = INFLATE[coding]?.(bytes, maxBytes) ?? bytes;
    } catch (error) {
      return inflateFailure(coding, error, maxBytes);
    }
  }
  if (bytes.byteLength > maxBytes) return { kind: "refused", why: `more than ${maxBytes} bytes` };
  return { kind: "decoded", bytes };
}

function inflateFailure(coding: string, error: unknown, maxBytes: number): Decoded {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ERR_BUFFER_TOO_LARGE")
    return { kind: "refused", why: `more than ${maxBytes} bytes when decoded` };
  // The frame may be sound and merely larger than the window that we grant it.
  if (code === "ZSTD_error_frameParameter_windowTooLarge")
    return { kind: "refused", why: "zstd window too large" };
  return {
    kind: "corrupt",
    why: `broken ${coding}: ${error instanceof Error ? error.message : String(error)}`,
  };
}

/**
 * The text of a decoded body, or null when the bytes are not text in that charset (invalid UTF-8, unknown
 * charset). A byte order mark is not part of the text. Without a charset: UTF-8.
 */
export function decodeText(bytes: Uint8Array, charset: string | null): string | null {
  try {
    return new TextDecoder(charset ?? "utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    // RangeError: a charset that nobody knows; TypeError: bytes that it does not allow.
    if (error instanceof RangeError || error instanceof TypeError) return null;
    throw error;
  }
}

/** Whether two byte sequences are the same. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && Buffer.compare(left, right) === 0;
}
