/** XML and HTML as the corpus makes them: documents of well-known sorts, and the many ways to spell them. */

import { type Draw, shuffle, times } from "./draw.ts";

export interface Element {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: Node[];
}
export type Node = string | Element;

export const element = (
  name: string,
  attributes: Record<string, string> = {},
  ...children: Node[]
): Element => ({
  name,
  attributes,
  children,
});
const leaf = (name: string, text: string): Element => element(name, {}, text);

/** How freely a serialiser writes: all of these mean the same to a reader who does not care for white space. */
export interface MarkupSpelling {
  readonly wild: boolean;
  readonly html: boolean;
}

const VOID = new Set(["br", "hr", "img", "input", "link", "meta"]);

export function spellMarkup(node: Node, spelling: MarkupSpelling, draw: Draw, depth = 0): string {
  if (typeof node === "string") return spellText(node, spelling, draw);
  const names = Object.keys(node.attributes);
  if (spelling.wild) shuffle(names, draw);
  const gap = spelling.wild ? draw.pick([" ", "\n  ", "  "]) : " ";
  const attributes = names.map(
    (name) => `${gap}${name}=${spellValue(node.attributes[name] ?? "", spelling, draw)}`,
  );
  const open = `<${node.name}${attributes.join("")}`;
  if (spelling.html && VOID.has(node.name)) return `${open}>`;
  if (node.children.length === 0 && !spelling.html && spelling.wild && draw.chance(0.5)) return `${open} />`;
  // White space between elements alone is layout; beside text it may be meant.
  const isLayout = node.children.length > 0 && node.children.every((child) => typeof child !== "string");
  const between = (): string => {
    if (!spelling.wild || !isLayout) return "";
    return draw.pick(["", "\n", `\n${"  ".repeat(depth + 1)}`, "\t", "<!-- generated -->"]);
  };
  const inner = node.children
    .map((child) => between() + spellMarkup(child, spelling, draw, depth + 1))
    .join("");
  return `${open}>${inner}${between()}</${node.name}>`;
}

function spellText(text: string, spelling: MarkupSpelling, draw: Draw): string {
  if (spelling.wild && !spelling.html && !text.includes("]]>") && draw.chance(0.2))
    return `<![CDATA[${text}]]>`;
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  if (!spelling.wild) return escaped;
  return escaped.replace(/[^ -~]/gu, (character) =>
    draw.pick([character, `&#${character.codePointAt(0)};`, `&#x${character.codePointAt(0)?.toString(16)};`]),
  );
}

function spellValue(value: string, spelling: MarkupSpelling, draw: Draw): string {
  const escaped = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  if (spelling.wild && draw.chance(0.5) && !value.includes("'")) return `'${escaped}'`;
  return `"${escaped.replaceAll('"', "&quot;")}"`;
}

export interface MarkupShape {
  readonly name: string;
  readonly contentType: string;
  readonly html: boolean;
  readonly make: (draw: Draw) => Element;
}

const xml = (name: string, contentType: string, make: MarkupShape["make"]): MarkupShape => ({
  name,
  contentType,
  html: false,
  make,
});

export const MARKUP_SHAPES: readonly MarkupShape[] = [
  xml("S3: ListBucketResult", "application/xml", (draw) =>
    element(
      "ListBucketResult",
      { xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" },
      leaf("Name", "bucket"),
      element("Prefix"),
      leaf("KeyCount", "3"),
      leaf("IsTruncated", "false"),
      ...times(3, (at) =>
        element(
          "Contents",
          {},
          leaf("Key", `photos/${draw.word()}-${at}.jpg`),
          leaf("LastModified", draw.instant()),
          leaf("ETag", `"${draw.hex(32)}"`),
          leaf("Size", String(draw.int(900_000))),
          leaf("StorageClass", "STANDARD"),
        ),
      ),
    ),
  ),
  xml("SOAP envelope", "text/xml; charset=utf-8", (draw) =>
    element(
      "soap:Envelope",
      { "xmlns:soap": "http://schemas.xmlsoap.org/soap/envelope/", "xmlns:m": "https://example.com/stock" },
      element("soap:Header", {}, element("m:Trans", { "soap:mustUnderstand": "1" }, draw.hex(8))),
      element(
        "soap:Body",
        {},
        element(
          "m:GetPriceResponse",
          {},
          element("m:Price", { currency: "EUR", "xsi:type": "xsd:decimal" }, `${draw.price()}`),
          leaf("m:Item", `${draw.words(2)} & <co>`),
        ),
      ),
    ),
  ),
  xml("RSS 2.0 feed", "application/rss+xml", (draw) =>
    element(
      "rss",
      { version: "2.0" },
      element(
        "channel",
        {},
        leaf("title", draw.words(3)),
        leaf("link", "https://example.com/?a=1&b=2"),
        ...times(4, (at) =>
          element(
            "item",
            {},
            leaf("title", `${draw.words(4)} ${at} – ünï`),
            leaf("description", `<p>${draw.words(8)}</p>`),
            element("guid", { isPermaLink: "false" }, `item-${at}`),
            leaf("pubDate", "Wed, 02 Oct 2002 13:00:00 GMT"),
            leaf("category", draw.word()),
            leaf("category", `${draw.word()}2`),
          ),
        ),
      ),
    ),
  ),
  xml("Atom feed", "application/atom+xml;type=feed", (draw) =>
    element(
      "feed",
      { xmlns: "http://www.w3.org/2005/Atom", "xml:lang": "en" },
      leaf("id", `urn:uuid:${draw.uuid()}`),
      element("link", {
        rel: "self",
        href: "https://example.com/feed?x=1&y=2",
        type: "application/atom+xml",
      }),
      ...times(3, (at) =>
        element(
          "entry",
          {},
          leaf("id", `urn:uuid:${draw.uuid()}`),
          element("title", { type: "text" }, `${draw.words(3)} ${at}`),
          element(
            "summary",
            { type: "xhtml" },
            `${draw.words(2)} `,
            leaf("b", draw.word()),
            ` ${draw.words(2)}`,
          ),
          leaf("updated", draw.instant()),
        ),
      ),
    ),
  ),
  xml("sitemap", "application/xml; charset=UTF-8", (draw) =>
    element(
      "urlset",
      { xmlns: "http://www.sitemaps.org/schemas/sitemap/0.9" },
      ...times(8, (at) =>
        element(
          "url",
          {},
          leaf("loc", `https://example.com/${draw.word()}/${at}?q=a&r=b`),
          leaf("lastmod", `2026-01-1${at}`),
          leaf("priority", `0.${at}`),
        ),
      ),
    ),
  ),
  xml("OpenStreetMap XML", "application/osm+xml", (draw) =>
    element(
      "osm",
      { version: "0.6", generator: "CGImap" },
      ...times(4, (at) =>
        element(
          "node",
          {
            id: String(298_884_269 + at),
            lat: String(54 + draw.next()),
            lon: String(12 + draw.next()),
            user: draw.word(),
            visible: "true",
          },
          ...times(2, (n) => element("tag", { k: `key:${n}`, v: `${draw.words(2)} "q"` })),
        ),
      ),
    ),
  ),
  {
    name: "an HTML form",
    contentType: "text/html; charset=utf-8",
    html: true,
    make: (draw) =>
      element(
        "html",
        { lang: "en" },
        element("head", {}, element("meta", { charset: "utf-8" }), leaf("title", draw.words(3))),
        element(
          "body",
          { class: "page" },
          leaf("h1", `${draw.words(2)} & more`),
          element(
            "form",
            { action: "/login?next=%2F&x=1", method: "post" },
            element("input", { type: "hidden", name: "csrf", value: draw.hex(32) }),
            element(
              "label",
              { for: "user" },
              "User ",
              element("input", { id: "user", name: "user", value: draw.word() }),
            ),
            element(
              "select",
              { name: "lang" },
              ...times(3, (at) => element("option", { value: String(at) }, draw.word())),
            ),
            element("button", { type: "submit" }, "Sign in"),
          ),
          leaf("p", `${draw.words(10)} © é`),
        ),
      ),
  },
  {
    name: "an HTML table",
    contentType: "text/html",
    html: true,
    make: (draw) =>
      element(
        "html",
        {},
        element("head", {}, leaf("title", draw.words(2))),
        element(
          "body",
          {},
          element(
            "table",
            { id: "orders" },
            element("thead", {}, element("tr", {}, leaf("th", "Order"), leaf("th", "Total"))),
            element(
              "tbody",
              {},
              ...times(5, (at) =>
                element(
                  "tr",
                  { "data-id": String(at) },
                  element("td", {}, element("a", { href: `/orders/${at}` }, `#${at}`)),
                  leaf("td", `€${draw.price()}`),
                ),
              ),
            ),
          ),
          element("p", {}, "a ", leaf("b", draw.word()), " and ", leaf("i", draw.word()), " mixed"),
        ),
      ),
  },
];
