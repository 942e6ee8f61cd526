/**
 * Elements as plain JSON values, built while a parser reads:
 *
 *     <book id="7"><title>Emma</title><note>see <b>this</b> too</note></book>
 *     {"book": {"@id": "7", "#order": "title note",
 *       "title": [{"#text": "Emma"}], "note": [{"#text": "see <b/> too", "b": [{"#text": "this"}]}]}}
 *
 * Children of one name are an array, always, so that a path means the same however many there are; only those of
 * which there can be but one (XML's root, html, head, body) are not: `$.html.body.div[0].p[1]['#text']`.
 * An attribute is `@name`. Text between children shows where they stand; where there is none, and children have
 * several names, `#order` lists the names in the order of the children. The order of attributes is free.
 */

import { MAX_NODES } from "./reading.ts";

/** Each element is two levels of JSON, which goes to 500 (json.ts). */
export const MAX_ELEMENT_DEPTH = 240;

/** Attributes of one element. */
export const MAX_ATTRIBUTES = 2000;

/** Pieces in which the parser hands over texts: one for each entity and each bracket that begins no tag. */
const MAX_TEXT_PIECES = 2_000_000;

/** Thrown out of the parser. */
export class MarkupBound extends Error {
  readonly bound: "too_deep" | "too_large";

  constructor(bound: "too_deep" | "too_large") {
    super(bound);
    this.bound = bound;
  }
}

/** How white space is read. */
export interface Manners {
  /** Text in it is kept as it is, below it too. */
  readonly preserves: (name: string, attributes: ReadonlyMap<string, string>) => boolean;
  /** White space beside it is part of the text. */
  readonly isInline: (name: string) => boolean;
  /** White space between two of them is read, even where there is no other text. */
  readonly isWords: (name: string) => boolean;
  /** There is but one of it in its parent. */
  readonly isSingle: (name: string, depth: number) => boolean;
}

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "child"; readonly name: string };

interface Frame {
  readonly name: string;
  readonly preserve: boolean;
  readonly attributes: ReadonlyMap<string, string>;
  readonly parts: Part[];
  /** By name, in the order of first appearance. */
  readonly children: Map<string, unknown[]>;
  text: string;
}

export interface MarkupBuilder {
  open(name: string, attributes: ReadonlyMap<string, string>): void;
  text(text: string): void;
  close(): void;
  /** A child that holds nothing but a text, kept as it is. */
  leaf(name: string, text: string): void;
  /** Elements that are open. */
  depth(): number;
  /** The document, with those further members. */
  finish(more: ReadonlyMap<string, unknown>): unknown;
}

/** `withOrder` false: no `#order`. Throws MarkupBound out of `open` and `text`. */
export function createMarkupBuilder(manners: Manners, withOrder: boolean): MarkupBuilder {
  const root = newFrame("", false, new Map());
  const stack: Frame[] = [root];
  let nodes = 0;
  let pieces = 0;
  const top = (): Frame => stack.at(-1) ?? root;
  const count = (more: number): void => {
    nodes += more;
    if (nodes > MAX_NODES) throw new MarkupBound("too_large");
  };
  const addChild = (parent: Frame, name: string, value: unknown): void => {
    const known = parent.children.get(name);
    if (known === undefined) parent.children.set(name, [value]);
    else known.push(value);
  };
  const close = (): void => {
    const frame = stack.length > 1 ? stack.pop() : undefined;
    if (frame !== undefined) addChild(top(), frame.name, elementOf(frame, stack.length, manners, withOrder));
  };
  return {
    open(name, attributes) {
      count(1 + attributes.size);
      // The root frame is not an element.
      if (stack.length > MAX_ELEMENT_DEPTH) throw new MarkupBound("too_deep");
      const parent = top();
      flush(parent);
      parent.parts.push({ kind: "child", name });
      stack.push(newFrame(name, parent.preserve || manners.preserves(name, attributes), attributes));
    },
    text(text) {
      const frame = top();
      if (frame.text === "") count(1);
      if (++pieces > MAX_TEXT_PIECES) throw new MarkupBound("too_large");
      frame.text += text;
    },
    close,
    leaf(name, text) {
      count(1);
      const parent = top();
      flush(parent);
      parent.parts.push({ kind: "child", name });
      addChild(parent, name, { "#text": text });
    },
    depth: () => stack.length - 1,
    finish(more) {
      while (stack.length > 1) close();
      const value = membersOf(root, 0, manners, withOrder);
      return Object.fromEntries([...more, ...value]);
    },
  };
}

function newFrame(name: string, preserve: boolean, attributes: ReadonlyMap<string, string>): Frame {
  return { name, preserve, attributes, parts: [], children: new Map(), text: "" };
}

function flush(frame: Frame): void {
  if (frame.text !== "") frame.parts.push({ kind: "text", text: frame.text });
  frame.text = "";
}

/** fromEntries makes members of names such as __proto__ too. */
function elementOf(frame: Frame, depth: number, manners: Manners, withOrder: boolean): unknown {
  return Object.fromEntries(membersOf(frame, depth, manners, withOrder));
}

function membersOf(
  frame: Frame,
  depth: number,
  manners: Manners,
  withOrder: boolean,
): readonly (readonly [string, unknown])[] {
  flush(frame);
  const members: (readonly [string, unknown])[] = [];
  for (const [name, value] of frame.attributes) members.push([`@${name}`, value]);
  const text = frame.preserve ? exactText(frame.parts) : normalText(frame.parts, manners);
  if (text !== "") members.push(["#text", text]);
  else if (withOrder && frame.children.size > 1) members.push(["#order", orderOf(frame.parts)]);
  for (const [name, values] of frame.children) {
    if (!manners.isSingle(name, depth)) {
      members.push([name, values]);
      continue;
    }
    // A second one is a fault that must not be lost, by a name that no element has.
    members.push([name, values[0]]);
    if (values.length > 1) members.push([`${name} #2`, values.slice(1)]);
  }
  return members;
}

function exactText(parts: readonly Part[]): string {
  const isMixed = parts.some(({ kind }) => kind === "child");
  if (!parts.some(({ kind }) => kind === "text")) return "";
  return parts
    .map((part) => (part.kind === "child" ? `<${part.name}/>` : escaped(part.text, isMixed)))
    .join("");
}

/**
 * White space is one space inside a text, and nothing at its ends, unless an inline element is beside it. Between two
 * elements that are words it is a text of its own: whoever reads the page sees it.
 */
function normalText(parts: readonly Part[], manners: Manners): string {
  if (!parts.some((part, at) => part.kind === "text" && isSeen(part.text, parts, at, manners))) return "";
  const isMixed = parts.some(({ kind }) => kind === "child");
  // Pieces and their last character: to look at the end of a text that grows costs its whole length each time.
  const out: string[] = [];
  let end = "";
  const append = (text: string): void => {
    out.push(text);
    end = text.at(-1) ?? end;
  };
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at];
    if (part === undefined) break;
    if (part.kind === "child") {
      // Next to what is not inline, white space means nothing: always one, so that it is easy to read.
      if (!manners.isInline(part.name) && end !== "" && end !== " ") append(" ");
      append(`<${part.name}/>`);
      if (!manners.isInline(part.name) && at < parts.length - 1) append(" ");
      continue;
    }
    const text = escaped(part.text.replace(WHITE_SPACE, " "), isMixed);
    append(text.startsWith(" ") && (end === "" || end === " ") ? text.slice(1) : text);
  }
  return trimSpaces(out.join(""));
}

function isSeen(text: string, parts: readonly Part[], at: number, manners: Manners): boolean {
  if (!isBlank(text)) return true;
  const isWordsAt = (part: Part | undefined): boolean => part?.kind === "child" && manners.isWords(part.name);
  return isWordsAt(parts[at - 1]) && isWordsAt(parts[at + 1]);
}

/** What HTML and XML call white space: a no-break space is none. */
const WHITE_SPACE = /[ \t\n\r\f]+/g;

function isBlank(text: string): boolean {
  return !/[^ \t\n\r\f]/.test(text);
}

function trimSpaces(text: string): string {
  const from = text.startsWith(" ") ? 1 : 0;
  return text.endsWith(" ") ? text.slice(from, -1) : text.slice(from);
}

/** Beside children a text must not look like one. */
function escaped(text: string, isMixed: boolean): string {
  return isMixed ? text.replaceAll("&", "&amp;").replaceAll("<", "&lt;") : text;
}

/** "dt dd dt dd", "li*40 p": a name and how many of it come running. */
function orderOf(parts: readonly Part[]): string {
  const runs: string[] = [];
  let name: string | null = null;
  let length = 0;
  const end = (): void => {
    if (name !== null) runs.push(length > 1 ? `${name}*${length}` : name);
  };
  for (const part of parts) {
    if (part.kind === "text") continue;
    if (part.name === name) {
      length++;
      continue;
    }
    end();
    name = part.name;
    length = 1;
  }
  end();
  return runs.join(" ");
}
