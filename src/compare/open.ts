/** Bodies opened on demand and once: decoded bytes, what they are, and their text. */

import type { Answer, Pair } from "../model/pair.ts";
import { decodeText } from "./charset.ts";
import { decodeContent } from "./decode.ts";
import { headerValue, mediaTypeOf } from "./headers.ts";
import { type BodyKind, kindOfType } from "./kinds.ts";

export type OpenBody =
  | {
      readonly kind: "open";
      readonly bytes: Uint8Array;
      readonly media: BodyKind;
      /** Only the beginning of the body is there. */
      readonly cut: boolean;
      /** The text is the JSON of what was read from a body of another kind. */
      readonly isTree: boolean;
      /** Null: not text in its charset. */
      readonly text: () => string | null;
    }
  | {
      /** Broken, or beyond a bound of ours: nothing can be said of it. */
      readonly kind: "closed";
    };

export interface OpenPair {
  readonly old: () => OpenBody;
  readonly new: () => OpenBody;
}

/** Both bodies of a pair; nothing is decoded before it is asked for, nor twice. */
export function openPair(pair: Pick<Pair, "old" | "new">): OpenPair {
  return { old: openOnce(pair.old), new: openOnce(pair.new) };
}

/** One answer's body, decoded when first asked for. */
export function openOnce(answer: Answer): () => OpenBody {
  return once(() => openBody(answer));
}

/** A body of which the text is known already; `isTree`: as JSON, whatever its type says. */
export function openText(text: string, contentType: string | null, isTree: boolean = false): OpenBody {
  const media = kindOfType(mediaTypeOf(contentType).essence);
  return { kind: "open", bytes: Buffer.from(text), media, cut: false, isTree, text: () => text };
}

function openBody(answer: Answer): OpenBody {
  const { body, cut } = answer;
  const decoded = decodeContent(body, headerValue(answer.headers, "content-encoding"), { cut });
  if (decoded.kind !== "decoded") return { kind: "closed" };
  const { essence, charset } = mediaTypeOf(headerValue(answer.headers, "content-type"));
  const { bytes } = decoded;
  const media = kindOfType(essence);
  const looksInside = media === "xml" || media === "html" ? media : null;
  const text = once(() => decodeText(bytes, charset, looksInside, cut));
  return { kind: "open", bytes, media, cut, isTree: false, text };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
