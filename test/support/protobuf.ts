/** Reads protobuf's wire format, as far as OTLP needs it. */

/** Values by field number, in order: bytes of length-delimited fields, numbers of all others. */
export class Message {
  readonly #fields = new Map<number, (Buffer | bigint)[]>();

  /** Throws where the bytes are no message. */
  constructor(bytes: Buffer) {
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = bytes.readUInt8(at++);
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
      throw new Error("a varint that does not end");
    };
    const take = (count: number): Buffer => {
      if (at + count > bytes.length) throw new Error("a field that is cut off");
      at += count;
      return bytes.subarray(at - count, at);
    };
    const value = (wireType: number): Buffer | bigint => {
      if (wireType === 0) return varint();
      if (wireType === 1) return take(8).readBigUInt64LE();
      if (wireType === 2) return take(Number(varint()));
      if (wireType === 5) return BigInt(take(4).readUInt32LE());
      throw new Error(`wire type ${wireType}`);
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const values = this.#fields.get(tag >> 3) ?? [];
      values.push(value(tag & 7));
      this.#fields.set(tag >> 3, values);
    }
  }

  messages(field: number): Message[] {
    return this.#bytes(field).map((bytes) => new Message(bytes));
  }

  hex(field: number): string {
    return this.#bytes(field)[0]?.toString("hex") ?? "";
  }

  /** Null: it is not there. */
  text(field: number): string | null {
    return this.#bytes(field)[0]?.toString("utf8") ?? null;
  }

  /** Null: it is not there. */
  number(field: number): bigint | null {
    const value = this.#fields.get(field)?.[0];
    return typeof value === "bigint" ? value : null;
  }

  #bytes(field: number): Buffer[] {
    return (this.#fields.get(field) ?? []).filter((value) => typeof value !== "bigint");
  }
}
