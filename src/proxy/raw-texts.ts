/** Fields as undici hands them over: names and values in turn, most of them views of the bytes that were read. */

/** As texts, each byte one character. */
export function rawTexts(raw: unknown): string[] {
  if (!Array.isArray(raw) || raw.length === 0) return [];
  const fields = raw as readonly (string | Buffer)[];
  const block = blockOf(fields);
  if (block === null) {
    return fields.map((field) => (typeof field === "string" ? field : field.toString("latin1")));
  }
  const texts: string[] = [];
  const { text, begin } = block;
  for (const field of fields as readonly Buffer[]) {
    const at = field.byteOffset - begin;
    texts.push(text.slice(at, at + field.length));
  }
  return texts;
}

interface Block {
  readonly text: string;
  /** Of the first field, in the memory that all of them are views of. */
  readonly begin: number;
}

/**
 * All of the fields as one text: to read it at once and cut it up costs a fraction of a reading for each. Null: they
 * lie apart, because they came in pieces that were joined.
 */
function blockOf(fields: readonly (string | Buffer)[]): Block | null {
  const first = fields[0] as string | Buffer;
  if (typeof first === "string") return null;
  const { buffer, byteOffset: begin } = first;
  let end = begin;
  for (const field of fields) {
    if (typeof field === "string" || field.byteOffset < end || field.buffer !== buffer) return null;
    end = field.byteOffset + field.length;
  }
  return { text: Buffer.from(buffer, begin, end - begin).toString("latin1"), begin };
}
