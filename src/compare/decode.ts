/** Content codings: from the bytes of the wire to the bytes that they mean. */

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

interface InflateOptions {
  readonly maxOutputLength: number;
  /** Only the beginning is there: what it holds so far, and no complaint about its end. */
  readonly cut: boolean;
}

type Inflate = (bytes: Uint8Array, options: InflateOptions) => Uint8Array;

const INFLATE: Readonly<Record<string, Inflate>> = {
  gzip: (bytes, options) => gunzipSync(bytes, zlibOptions(options)),
  "x-gzip": (bytes, options) => gunzipSync(bytes, zlibOptions(options)),
  deflate: (bytes, options) =>
    (hasZlibHead(bytes) ? inflateSync : inflateRawSync)(bytes, zlibOptions(options)),
  br: (bytes, { maxOutputLength, cut }) =>
    brotliDecompressSync(bytes, {
      maxOutputLength,
      ...(cut ? { finishFlush: constants.BROTLI_OPERATION_FLUSH } : {}),
    }),
  zstd: (bytes, { maxOutputLength, cut }) =>
    zstdDecompressSync(bytes, {
      maxOutputLength,
      params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
      ...(cut ? { finishFlush: constants.ZSTD_e_flush } : {}),
    }),
};

function zlibOptions({ maxOutputLength, cut }: InflateOptions): {
  readonly maxOutputLength: number;
  readonly finishFlush?: number;
} {
  return cut ? { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH } : { maxOutputLength };
}

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

/**
 * Undoes every content coding. Never throws and never makes more than `maxBytes` at any stage. `cut`: only the
 * beginning of the body is there.
 */
export function decodeContent(
  body: Uint8Array,
  contentEncoding: string | null,
  { maxBytes = MAX_DECODED_BYTES, cut = false }: { readonly maxBytes?: number; readonly cut?: boolean } = {},
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
      bytes = INFLATE[coding]?.(bytes, { maxOutputLength: maxBytes, cut }) ?? bytes;
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

/** Whether two byte sequences are the same. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && Buffer.compare(left, right) === 0;
}
