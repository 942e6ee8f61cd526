/** Known differences in XML and HTML documents of well-known sorts are found at their places, and nothing else is. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Comparison } from "../../src/model/pair.ts";
import type { Difference } from "../../src/model/reports.ts";
import { comparedBodies } from "../compare/pairs.ts";
import { createDraw, type Draw } from "./draw.ts";
import { placeOf, templateOf } from "./json.ts";
import { type Element, MARKUP_SHAPES, type MarkupShape, spellMarkup } from "./markup.ts";

const ROUNDS = 16;

interface Site {
  readonly element: Element;
  /** Of the element's value in the tree of the document. */
  readonly path: readonly (string | number)[];
}

interface Expected {
  readonly path: readonly (string | number)[];
  readonly kind: Difference["kind"];
}

/** Every element with its place: children of one name are numbered; a document has one root, head and body. */
function sitesOf(element: Element, path: readonly (string | number)[], isHtml: boolean): Site[] {
  const counts = new Map<string, number>();
  const below = element.children.flatMap((child) => {
    if (typeof child === "string") return [];
    const count = counts.get(child.name) ?? 0;
    counts.set(child.name, count + 1);
    const isSingle = isHtml && (child.name === "head" || child.name === "body");
    return sitesOf(child, isSingle ? [...path, child.name] : [...path, child.name, count], isHtml);
  });
  return [{ element, path }, ...below];
}

const isMixed = ({ children }: Element): boolean =>
  children.some((child) => typeof child === "string") && children.length > 1;

type Change = (site: Site, draw: Draw) => Expected | null;

const CHANGES: Readonly<Record<string, Change>> = {
  text: ({ element, path }, draw) => {
    const index = element.children.findIndex((child) => typeof child === "string");
    if (index < 0) return null;
    element.children[index] = `${element.children[index]}${draw.hex(4)}~`;
    return { path: [...path, "#text"], kind: "value" };
  },
  case: ({ element, path }) => {
    const text = element.children[0];
    if (typeof text !== "string" || text.toUpperCase() === text) return null;
    element.children[0] = text.toUpperCase();
    return { path: [...path, "#text"], kind: "value" };
  },
  attribute: ({ element, path }, draw) => {
    const [name] = Object.keys(element.attributes);
    if (name === undefined) return null;
    element.attributes[name] = `${element.attributes[name]} & ${draw.hex(4)}`;
    return { path: [...path, `@${name}`], kind: "value" };
  },
  "attribute missing": ({ element, path }) => {
    const name = Object.keys(element.attributes).at(-1);
    if (name === undefined) return null;
    delete element.attributes[name];
    return { path: [...path, `@${name}`], kind: "missing" };
  },
  "attribute added": ({ element, path }) => {
    element.attributes["data-more"] = "1";
    return { path: [...path, "@data-more"], kind: "added" };
  },
  "element missing": ({ element, path }, draw) => {
    if (isMixed(element) || element.children.length < 2) return null;
    const victim = draw.pick(element.children);
    if (typeof victim === "string" || victim.name === "head" || victim.name === "body") return null;
    const alike = element.children.filter((child) => typeof child !== "string" && child.name === victim.name);
    element.children.splice(element.children.indexOf(victim), 1);
    const step = alike.length === 1 ? [victim.name] : [victim.name, alike.indexOf(victim)];
    return { path: [...path, ...step], kind: "missing" };
  },
  order: ({ element, path }) => {
    if (isMixed(element)) return null;
    const [one, other] = element.children;
    if (one === undefined || other === undefined || typeof one === "string" || typeof other === "string")
      return null;
    if (one.name === other.name || one.name === "head") return null;
    element.children.splice(0, 2, other, one);
    return { path: [...path, "#order"], kind: "order" };
  },
};

function compareDocuments(shape: MarkupShape, old: Element, fresh: Element, draw: Draw): Comparison {
  const spelled = (root: Element, wild: boolean): string => {
    const head = shape.html ? "<!DOCTYPE html>" : wild ? "" : '<?xml version="1.0" encoding="UTF-8"?>\n';
    return head + spellMarkup(root, { wild, html: shape.html }, draw);
  };
  return comparedBodies(spelled(old, false), spelled(fresh, true), { type: shape.contentType });
}

for (const shape of MARKUP_SHAPES) {
  test(`${shape.name}: however it is spelled, the same document is a match`, () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const draw = createDraw(seed);
      const root = shape.make(draw);
      assert.deepEqual(compareDocuments(shape, root, root, draw), { kind: "match" }, `seed ${seed}`);
    }
  });

  for (const [name, change] of Object.entries(CHANGES)) {
    test(`${shape.name}: a known change (${name}) is found at its place, and nothing else`, () => {
      for (let seed = 1; seed <= ROUNDS; seed++) {
        const draw = createDraw(seed * 613);
        const old = shape.make(draw);
        const fresh = structuredClone(old);
        const sites = sitesOf(fresh, [fresh.name], shape.html);
        const expected = change(draw.pick(sites), draw);
        if (expected === null) continue;
        const comparison = compareDocuments(shape, old, fresh, draw);
        const found = comparison.kind === "mismatch" ? comparison.differences : [];
        assert.deepEqual(
          found.map(({ place, template, kind }) => ({ place, template, kind })),
          [{ place: placeOf(expected.path), template: templateOf(expected.path), kind: expected.kind }],
          `seed ${seed}`,
        );
      }
    });
  }
}
