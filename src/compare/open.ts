/** Bodies opened on demand and once: decoded bytes, what they are, and their text. */

import type { Answer, Pair } from "../model/pair.ts";
import { decodeContent, decodeText } from "./decode.ts";
import { headerValue, mediaTypeOf } from "./headers.ts";

/** "unknown": no content type; JSON if it parses, else bytes. */
export type BodyKind = "json" | "text" | "bytes" | "unknown";

export type OpenBody =
  | {
      readonly kind: "open";
      readonly bytes: Uint8Array;
      readonly media: BodyKind;
      /** Null: not text in the charset that the content type names. */
      readonly text: () => string | null;
    }
  | {
      readonly kind: "closed";
      /** The answer's fault, not a bound of ours. */
      readonly corrupt: boolean;
      readonly why: string;
    };

export interface OpenPair {
  readonly old: () => OpenBody;
  readonly new: () => OpenBody;
}

/** Both bodies of a pair; nothing is decoded before it is asked for, nor twice. */
export function openPair(pair: Pair): OpenPair {
  return { old: once(() => openBody(pair.old)), new: once(() => openBody(pair.new)) };
}

function openBody(answer: Answer): OpenBody {
  const decoded = decodeContent(answer.body, headerValue(answer.headers, "content-encoding"));
  if (decoded.kind !== "decoded") {
    return { kind: "closed", corrupt: decoded.kind === "corrupt", why: decoded.why };
  }
  const { essence, charset } = mediaTypeOf(headerValue(answer.headers, "content-type"));
  const { bytes } = decoded;
  return { kind: "open", bytes, media: bodyKindOf(essence), text: once(() => decodeText(bytes, charset)) };
}

const TEXT_TYPES: ReadonlySet<string> = new Set([
  "application/ecmascript",
  "application/graphql",
  "application/javascript",
  "application/jsonl",
  "application/json-seq",
  "application/ndjson",
  "application/toml",
  "application/x-javascript",
  "application/x-ndjson",
  "application/x-www-form-urlencoded",
  "application/x-yaml",
  "application/xml",
  "application/yaml",
]);

/** What the bodies of a media type (lower case, without parameters) are compared as. */
function bodyKindOf(essence: string): BodyKind {
  if (essence === "") return "unknown";
  if (essence === "application/json" || essence === "text/json" || essence.endsWith("+json")) return "json";
  if (essence.startsWith("text/") || essence.endsWith("+xml") || TEXT_TYPES.has(essence)) return "text";
  return "bytes";
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
