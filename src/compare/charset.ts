/** Which characters the bytes of a text are: byte order mark, content type, the document's own word, UTF-8. */

/** How far into a document its own word for its charset is looked for (HTML's standard says 1024 bytes). */
const LOOK_BYTES = 1024;

const XML_ENCODING = /^<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/;
const META_CHARSET = /<meta\s[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})/i;

/**
 * The text of a decoded body, or null when the bytes are not text in their charset (invalid UTF-8, unknown
 * charset). A byte order mark is not part of the text. `declared` is the charset of the content type;
 * `looksInside` how the document names one itself. `cut`: half a character at the end is left out.
 */
export function decodeText(
  bytes: Uint8Array,
  declared: string | null,
  looksInside: "xml" | "html" | null = null,
  cut: boolean = false,
): string | null {
  const charset = markedCharset(bytes) ?? declared ?? ownCharset(bytes, looksInside) ?? "utf-8";
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes, { stream: cut });
  } catch (error) {
    // RangeError: a charset that nobody knows; TypeError: bytes that it does not allow.
    if (error instanceof RangeError || error instanceof TypeError) return null;
    throw error;
  }
}

/** A byte order mark is the surest word there is (WHATWG Encoding, "BOM sniff"). */
function markedCharset(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return null;
}

function ownCharset(bytes: Uint8Array, looksInside: "xml" | "html" | null): string | null {
  if (looksInside === null) return null;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, LOOK_BYTES));
  if (start[0] === 0x3c && start[1] === 0 && start[2] === 0x3f && start[3] === 0) return "utf-16le";
  if (start[0] === 0 && start[1] === 0x3c && start[2] === 0 && start[3] === 0x3f) return "utf-16be";
  const head = start.toString("latin1");
  const named =
    XML_ENCODING.exec(head)?.[1] ?? (looksInside === "html" ? META_CHARSET.exec(head)?.[1] : null);
  // Whoever could read the name so far did not read UTF-16.
  return named && isKnown(named) && !/^utf-?16/i.test(named) ? named : null;
}

function isKnown(charset: string): boolean {
  try {
    new TextDecoder(charset);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
