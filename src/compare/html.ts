/** HTML as a tree (see markup.ts for its shape), mended as browsers do where that is simple. */

import { Parser } from "htmlparser2";

import { createMarkupBuilder, MAX_ATTRIBUTES, type Manners, MarkupBound } from "./markup.ts";
import { plainTree, type Reading } from "./reading.ts";

/** Elements that are part of a line of text. */
const INLINE: ReadonlySet<string> = new Set(
  `a abbr acronym b bdi bdo big button cite code data del dfn em font i img input ins kbd label mark math meter
  output q ruby s samp select small span strike strong sub sup svg time tt u var`.split(/\s+/),
);

/** Of them those that are no words: between controls and pictures a page is laid out, and white space is not read. */
const OBJECTS: ReadonlySet<string> = new Set(
  "button img input label math meter output select svg".split(" "),
);

const PRESERVING: ReadonlySet<string> = new Set([
  "pre",
  "textarea",
  "script",
  "style",
  "listing",
  "plaintext",
]);

/** Their end tags may be left out (HTML, "optional tags"). */
const OPTIONAL_END: ReadonlySet<string> = new Set(
  "html head body li dt dd p rt rp optgroup option colgroup caption thead tbody tfoot tr td th".split(" "),
);

const MANNERS: Manners = {
  preserves: (name) => PRESERVING.has(name),
  isInline: (name) => INLINE.has(name),
  isWords: (name) => INLINE.has(name) && !OBJECTS.has(name),
  isSingle: (name, depth) =>
    (depth === 0 && name === "html") || (depth === 1 && (name === "head" || name === "body")),
};

/**
 * Reads a document or a fragment; every text is HTML. Comments are left out. Elements that are still open at the
 * end though they need an end tag are named in `#unclosed`: so a page that was cut off equals no whole one.
 * `withOrder` false: without `#order`.
 */
export function readHtml(text: string, withOrder: boolean = true): Reading {
  try {
    return plainTree(parse(text, withOrder));
  } catch (error) {
    if (error instanceof MarkupBound) return { kind: error.bound };
    throw error;
  }
}

function parse(text: string, withOrder: boolean): unknown {
  const builder = createMarkupBuilder(MANNERS, withOrder);
  const more = new Map<string, unknown>();
  const unclosed: string[] = [];
  let attributes = new Map<string, string>();
  let reached = 0;
  let isOver = false;
  const reach = (): void => {
    reached = parser.endIndex + 1;
  };
  const parser = new Parser({
    onopentagname() {
      // Those of a tag that the parser left out, such as a form within a form, are nobody's.
      attributes = new Map();
    },
    onattribute(name, value) {
      // The first one counts.
      if (!attributes.has(name)) attributes.set(name, value);
      if (attributes.size > MAX_ATTRIBUTES) throw new MarkupBound("too_large");
    },
    onopentag(name) {
      reach();
      builder.open(name, attributes);
      attributes = new Map();
    },
    onclosetag(name, isImplied) {
      if (isOver && isImplied && !OPTIONAL_END.has(name)) unclosed.push(name);
      if (!isOver) reach();
      builder.close();
    },
    ontext(data) {
      reach();
      builder.text(data);
    },
    oncomment: reach,
    onprocessinginstruction(_name, data) {
      reach();
      more.set("#doctype", data.slice(1).replace(/\s+/g, " ").trim().toLowerCase());
    },
  });
  parser.write(text);
  isOver = true;
  parser.end();
  // Of a tag that was cut off the parser says nothing.
  const rest = text.slice(reached).trimEnd();
  if (rest !== "" && !rest.endsWith(">")) unclosed.push("(a tag)");
  if (unclosed.length > 0) more.set("#unclosed", unclosed.join(" "));
  return builder.finish(more);
}
