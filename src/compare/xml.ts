/**
 * XML as a tree (see markup.ts for its shape).
 *
 * htmlparser2 reads whatever it is given; a client's parser stops at the first fault. So every stretch of the
 * text must be accounted for by something that XML allows: what the parser skips or mends makes it "not XML".
 * Document types are compared as texts and never acted upon: no entity is expanded, nothing is fetched.
 */

import { Parser } from "htmlparser2";

import { parsePath } from "../model/jsonpath.ts";
import { createMarkupBuilder, MAX_ATTRIBUTES, type Manners, MarkupBound } from "./markup.ts";
import { plainTree, type Reading } from "./reading.ts";
import { visible } from "./text.ts";

const MANNERS: Manners = {
  preserves: (_name, attributes) => attributes.get("xml:space") === "preserve",
  isInline: () => false,
  isWords: () => false,
  isSingle: (name, depth) => depth === 0 && !name.startsWith("?"),
};

/** What begins with # or @ would be taken for a text or an attribute (markup.ts); XML has no such names. */
const NAME = "[^\\s<>&\"'=/!?.\\d#@-][^\\s<>&\"'=/!?]*";
/** No two of its repetitions can begin at one place, so it takes linear time. */
const START_TAG = new RegExp(`^<${NAME}(?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*\\s*/?>$`, "u");
const END_TAG = new RegExp(`^</${NAME}\\s*>$`, "u");
/** An ampersand that begins neither a character reference nor one of the five entities that XML knows. */
const BARE_AMPERSAND = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)/;
/** With a document type there may be others, which stay as they are written. */
const UNNAMED_AMPERSAND = /&(?!(?:[A-Za-z_][\w.-]{0,100}|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 allows no others than tab, line feed and return.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Its entities may stand for anything. */
const UNREAD = parsePath("$['#doctype']");

class Fault extends Error {}

/** Reads a document; "not" for one that is not well-formed. `withOrder` false: without `#order`. */
export function readXml(text: string, withOrder: boolean = true): Reading {
  if (FORBIDDEN.test(text)) return { kind: "not", why: "not XML (a character that XML does not allow)" };
  try {
    const { rest, subset } = takeSubset(text);
    return plainTree(parse(rest, subset, withOrder), UNREAD);
  } catch (error) {
    if (error instanceof MarkupBound) return { kind: error.bound };
    if (error instanceof Fault) return { kind: "not", why: `not XML (${error.message})` };
    throw error;
  }
}

/** Both are looked for in so much of a document. */
const MAX_PROLOG_CHARS = 64 * 1024;
const COMMENT = "<!--(?:[^-]|-(?!->))*-->";
const INSTRUCTION = "<\\?(?:[^?]|\\?(?!>))*\\?>";
const WORDS = "(?:[^[\\]<>\"']|\"[^\"]*\"|'[^']*')*";
// In neither can two alternatives begin alike, so they take linear time.
const DOCTYPE = new RegExp(`^\\ufeff?(?:\\s|${INSTRUCTION}|${COMMENT})*<!DOCTYPE\\s${WORDS}\\[`, "i");
const SUBSET = new RegExp(`^(?:[^\\]<%]|%[\\w.-]{1,100};|${COMMENT}|${INSTRUCTION}|<![A-Z]${WORDS}>)*\\]`);

/** The parser takes the first > for the end of the document type: what stands in its brackets is taken out before. */
function takeSubset(text: string): { readonly rest: string; readonly subset: string } {
  const prolog = text.slice(0, MAX_PROLOG_CHARS);
  const from = DOCTYPE.exec(prolog)?.[0].length;
  if (from === undefined) return { rest: text, subset: "" };
  const subset = SUBSET.exec(prolog.slice(from))?.[0];
  if (subset === undefined) throw new Fault("a document type that is broken or too long");
  return { rest: text.slice(0, from - 1) + text.slice(from + subset.length), subset: `[${subset}` };
}

function parse(text: string, subset: string, withOrder: boolean): unknown {
  const builder = createMarkupBuilder(MANNERS, withOrder);
  const doctype = new Map<string, string>();
  let attributes = new Map<string, string>();
  /** All before it is accounted for. */
  let reached = 0;
  let selfClosed = false;
  let inCdata = false;
  let roots = 0;

  const parser = new Parser(
    {
      onattribute(name, value) {
        if (attributes.has(name)) throw new Fault(`attribute ${shown(name)} twice`);
        attributes.set(name, value);
        if (attributes.size > MAX_ATTRIBUTES) throw new MarkupBound("too_large");
      },
      onopentag(name) {
        const tag = stretch();
        if (!START_TAG.test(tag)) throw new Fault(`no tag: ${shown(tag)}`);
        if (hasBareAmpersand(tag)) throw new Fault(`a bare & in ${shown(tag)}`);
        if (builder.depth() === 0 && ++roots > 1) throw new Fault("more than one root element");
        selfClosed = tag.endsWith("/>");
        builder.open(name, attributes);
        attributes = new Map();
      },
      onclosetag(name) {
        if (selfClosed) {
          selfClosed = false;
        } else {
          const tag = stretch();
          if (!END_TAG.test(tag) || tag.slice(2, -1).trimEnd() !== name) {
            throw new Fault(`<${shown(name)}> is not closed`);
          }
        }
        builder.close();
      },
      ontext(data) {
        if (!inCdata) checkText(stretch(), data);
        if (builder.depth() > 0) builder.text(data);
        else if (/[^ \t\r\n\ufeff]/.test(data)) throw new Fault("text outside the root element");
      },
      oncdatastart() {
        const section = stretch();
        if (!section.startsWith("<![CDATA[") || !section.endsWith("]]>"))
          throw new Fault("a CDATA without end");
        inCdata = true;
      },
      oncdataend() {
        inCdata = false;
      },
      oncomment() {
        const comment = stretch();
        if (!comment.startsWith("<!--") || !comment.endsWith("-->") || comment.length < 7) {
          throw new Fault("a comment without end");
        }
      },
      onprocessinginstruction(name, data) {
        // Of `?>` the parser counts the question mark alone.
        const instruction = stretch(text.startsWith("?>", parser.endIndex) ? 1 : 0);
        if (instruction.startsWith("<?")) {
          if (!instruction.endsWith("?>")) throw new Fault("a processing instruction without end");
          // The declaration speaks of the bytes that have been decoded.
          if (name.toLowerCase() !== "?xml")
            builder.leaf(name, data.slice(name.length).replace(/\?$/, "").trim());
        } else if (name.toUpperCase() === "!DOCTYPE" && roots === 0) {
          doctype.set("#doctype", `${data.slice(1)} ${subset}`.replace(/\s+/g, " ").trim());
        } else {
          throw new Fault(`a declaration ${shown(instruction)}`);
        }
      },
    },
    { xmlMode: true },
  );

  /** What the event at hand was read from: everything since the one before it. */
  const stretch = (more: 0 | 1 = 0): string => {
    const from = reached;
    reached = Math.max(reached, parser.endIndex + 1 + more);
    return text.slice(from, reached);
  };
  const hasBareAmpersand = (part: string): boolean =>
    BARE_AMPERSAND.test(part) && (doctype.size === 0 || UNNAMED_AMPERSAND.test(part));
  const checkText = (part: string, data: string): void => {
    if (part.includes("<")) throw new Fault(`no tag: ${shown(part)}`);
    if (part === data && part.includes("&") && hasBareAmpersand(part)) throw new Fault("a bare &");
    if (part.includes("]]>")) throw new Fault("]]> in a text");
  };

  parser.end(text);
  if (reached < text.length) throw new Fault(`no end: ${shown(text.slice(reached))}`);
  if (roots === 0) throw new Fault("no root element");
  return builder.finish(doctype);
}

function shown(text: string): string {
  return visible(text, 40);
}
