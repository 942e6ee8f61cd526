/** Bodies of every structured kind, read as trees. */

import { readEvents } from "./events.ts";
import { readForm } from "./form.ts";
import { readHtml } from "./html.ts";
import { parseJson } from "./json.ts";
import type { TreeKind } from "./kinds.ts";
import { readNdjson } from "./ndjson.ts";
import { hasTooManyNodes, type Reading } from "./reading.ts";
import { readXml } from "./xml.ts";

type Reader = (text: string) => Reading;

const READERS: Readonly<Record<TreeKind, Reader>> = {
  json: readJson,
  ndjson: readNdjson,
  form: readForm,
  xml: readXml,
  html: readHtml,
  events: readEvents,
};

/** Reads a text as a body of that kind, within bounds; never throws. */
export function readAs(kind: TreeKind, text: string): Reading {
  return READERS[kind](text);
}

/** As `readAs`, without the members that say in what order elements stand. */
export function readWithoutOrder(kind: TreeKind, text: string): Reading {
  if (kind === "xml") return readXml(text, false);
  return kind === "html" ? readHtml(text, false) : readAs(kind, text);
}

function readJson(text: string): Reading {
  if (hasTooManyNodes(text)) return { kind: "too_large" };
  const parsed = parseJson(text);
  if (parsed.kind === "too-deep") return { kind: "too_deep" };
  return parsed.kind === "json" ? { kind: "tree", tree: parsed } : { kind: "not", why: "not JSON" };
}
