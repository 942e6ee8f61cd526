/** Codings that multiply, lie or break. */

import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from "node:zlib";
import { type Bomb, JSON_TYPE, MIB } from "./bomb.ts";

export const codingBombs = (): readonly Bomb[] => {
  const zeros = Buffer.alloc(16 * MIB);
  const spaces = Buffer.alloc(16 * MIB, " ");
  const sound = gzipSync("[1]");
  const gzip = [gzipSync(zeros), gzipSync(spaces)] as const;
  const long = {
    params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 },
  };
  const bomb = (
    name: string,
    coding: string,
    [old, fresh]: readonly [Uint8Array, Uint8Array],
    rest: Partial<Bomb> = {},
  ): Bomb => ({
    name,
    type: JSON_TYPE,
    old,
    new: fresh,
    encodings: [coding, coding],
    expect: "decode_failed",
    ...rest,
  });
  return [
    bomb("16 MiB of zeros in gzip", "gzip", gzip),
    bomb("a gzip bomb beside a sound body", "gzip", [sound, gzip[0]]),
    bomb("gzip in gzip", "gzip, gzip", [gzipSync(gzip[0]), gzipSync(gzip[1])]),
    bomb("16 MiB in brotli", "br", [brotli(zeros), brotli(spaces)]),
    bomb("16 MiB in zstd", "zstd", [zstdCompressSync(zeros), zstdCompressSync(spaces)]),
    bomb("a zstd window of 128 MiB", "zstd", [zstdCompressSync(zeros, long), zstdCompressSync(spaces, long)]),
    bomb("fifty codings", Array(50).fill("gzip").join(), [sound, gzipSync("[2]")]),
    bomb("10,000 commas of codings", ",".repeat(10_000), [Buffer.from("[1]"), Buffer.from("[2]")], {
      expect: "mismatch",
    }),
    bomb("a coding that nobody knows", "__proto__", [Buffer.from("a"), Buffer.from("b")]),
    bomb("a gzip that is cut off beside a sound one", "gzip", [sound, sound.subarray(0, sound.length - 4)], {
      expect: "decode_failed",
    }),
    bomb("two gzip members beside the first alone", "gzip", [Buffer.concat([sound, sound]), sound], {
      expect: "mismatch",
    }),
    bomb("plain text under gzip beside gzip", "gzip", [sound, Buffer.from("[1]")], {
      expect: "decode_failed",
    }),
  ];
};

function brotli(bytes: Uint8Array): Uint8Array {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
}
