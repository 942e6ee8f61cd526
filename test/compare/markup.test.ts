import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { readHtml } from "../../src/compare/html.ts";
import { MAX_ELEMENT_DEPTH } from "../../src/compare/markup.ts";
import { readXml } from "../../src/compare/xml.ts";
import type { Compare } from "../../src/model/ruleset.ts";
import { atBoundedCost } from "../support/cost.ts";
import { comparedBodies, factsOf, placesOf } from "./pairs.ts";

const xml = (old: string, fresh: string, compare: Partial<Compare> = {}) =>
  comparedBodies(old, fresh, { type: "application/xml", compare });
const html = (old: string, fresh: string, compare: Partial<Compare> = {}) =>
  comparedBodies(old, fresh, { type: "text/html", compare });

function treeOf(reading: ReturnType<typeof readXml>): unknown {
  assert.equal(reading.kind, "tree");
  return reading.kind === "tree" ? reading.tree.value : null;
}

describe("XML", () => {
  test("is read as arrays of children by name, attributes and text", () => {
    const text = `<?xml version="1.0"?><!-- x --><book id="7"><title>Emma &amp; I</title>
      <note>see <b>this</b> too</note></book>`;
    assert.deepEqual(treeOf(readXml(text)), {
      book: {
        "@id": "7",
        "#order": "title note",
        title: [{ "#text": "Emma & I" }],
        note: [{ "#text": "see <b/> too", b: [{ "#text": "this" }] }],
      },
    });
  });

  test("spaces between elements, order of attributes, comments and spellings of a text do not matter", () => {
    const old = `<a x="1" y="2"><b>1 &lt; 2</b><c/></a>`;
    const fresh = `<?xml version="1.0"?>\n<a y='2'\n x = '1'>\n  <!-- hi -->\n  <b>1\n &#60; <![CDATA[2]]></b>\n <c></c>\n</a>\n`;
    assert.equal(xml(old, fresh).kind, "match");
  });

  test("each difference is at its place", () => {
    const old = "<l><i n='1'><p>1.50</p></i><i n='2'><p>2</p><q/></i></l>";
    const fresh = "<l><i n='1'><p>1.5</p></i><i n='3'><p>2</p></i></l>";
    assert.deepEqual([...placesOf(xml(old, fresh))].sort(), [
      "$.l.i[0].p[0]['#text'] value",
      "$.l.i[1].q missing",
      "$.l.i[1]['@n'] value",
    ]);
  });

  test("paths of the rules work on it", () => {
    const old = "<l><at>1</at><p>1.50</p></l>";
    const fresh = "<l><at>2</at><p>1.51</p></l>";
    const rules = {
      ignore: ["$..at"],
      tolerance: [{ path: "$..p[*]['#text']", absolute: 0.1, relative: null }],
    };
    assert.equal(xml(old, fresh, rules).kind, "match");
    assert.equal(xml(old, fresh, { ignore: ["$.l.at[0]['#text']"] }).kind, "mismatch");
  });

  test("the order of elements with different names counts, and says so once", () => {
    assert.deepEqual(factsOf(xml("<r><a/><b/></r>", "<r><b/><a/></r>")), [
      { place: "$.r['#order']", kind: "order", old: '"a b"', new: '"b a"' },
    ]);
    assert.deepEqual(placesOf(xml("<r><a/><b/><a/></r>", "<r><b/><a/><a/></r>")), ["$.r['#order'] order"]);
    assert.equal(xml("<r><a/><b/></r>", "<r><b/><a/></r>", { ignore: ["$..['#order']"] }).kind, "match");
  });

  test("an element that only one side has is one difference, not one of order as well", () => {
    assert.deepEqual(placesOf(xml("<r><a/><b/></r>", "<r><a/><c/><b/></r>")), ["$.r.c added"]);
    assert.deepEqual(placesOf(xml("<r><a/><b/></r>", "<r><b/></r>")), ["$.r.a missing"]);
    const ads = { ignore: ["$..ad"] };
    assert.equal(xml("<r><a/><ad/><b/></r>", "<r><a/><b/></r>", ads).kind, "match");
    assert.equal(xml("<r><a/><ad/></r>", "<r><a/></r>", ads).kind, "match");
  });

  test("what order says of ignored elements does not push real differences off the list", () => {
    const rows = (ad: string, last: string) => `<r>${`<i><a/>${ad}<b/></i>`.repeat(150)}<z>${last}</z></r>`;
    const comparison = xml(rows("<ad/>", "1"), rows("", "2"), { ignore: ["$..ad"] });
    assert.deepEqual(placesOf(comparison), ["$.r.z[0]['#text'] value"]);
  });

  test("where children stand in a text counts, and a text is never taken for a child", () => {
    assert.equal(xml("<p>a <b/> c</p>", "<p>a c <b/></p>").kind, "mismatch");
    assert.equal(xml("<p>a <b/> c</p>", "<p>a &lt;b/> c<b/></p>").kind, "mismatch");
    assert.equal(xml("<p>a<b/>c</p>", "<p> a <b/> c </p>").kind, "match");
  });

  test("space that is to be preserved counts", () => {
    const kept = (text: string) => `<a xml:space="preserve"><b>${text}</b></a>`;
    assert.equal(xml(kept("x  y"), kept("x y")).kind, "mismatch");
    assert.equal(xml("<a><b>x  y</b></a>", "<a><b>x y</b></a>").kind, "match");
  });

  test("document types are compared as texts and nothing in them is done", () => {
    const typed = (system: string) => `<!DOCTYPE a SYSTEM "${system}"><a>&nbsp;x</a>`;
    assert.equal(xml(typed("a.dtd"), typed("a.dtd").replace(" SYSTEM", "\n SYSTEM")).kind, "match");
    assert.deepEqual(placesOf(xml(typed("a.dtd"), typed("/etc/passwd"))), ["$['#doctype'] value"]);
    const laughs = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>';
    assert.deepEqual(placesOf(xml(laughs, laughs.replace('"bb"', '"cc"'))), ["$['#doctype'] value"]);
    assert.deepEqual(placesOf(xml(laughs, laughs.replace("&c;<", "&b;<"))), ["$.a['#text'] value"]);
  });

  test("a document type may hold declarations of its own", () => {
    const inside = [
      '<!ENTITY % p "]>"> %p;',
      "<!-- ]> --> <?x ]> ?>",
      '<!ATTLIST a b CDATA "<">',
      "<!ELEMENT a (#PCDATA)>\n",
    ];
    for (const declared of inside) {
      const typed = (rest: string) =>
        `<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM 'a[].dtd' [${declared}]>${rest}`;
      assert.equal(xml(typed("<a>x</a>"), typed("\n<a> x </a>")).kind, "match", declared);
      assert.deepEqual(placesOf(xml(typed("<a>x</a>"), typed("<a>y</a>"))), ["$.a['#text'] value"], declared);
    }
    for (const broken of [
      "<!DOCTYPE a [<!ENTITY b>",
      '<!DOCTYPE a [<!E "]><a/>',
      "<!DOCTYPE a [<b/>]><a/>",
    ]) {
      assert.deepEqual(readXml(broken), {
        kind: "not",
        why: "not XML (a document type that is broken or too long)",
      });
    }
    const long = `${" ".repeat(60_000)}<!DOCTYPE a [${"%a;<!--".repeat(20_000)}`;
    assert.equal(readXml(long).kind, "not");
  });

  const BROKEN = [
    "<a>x", "<a>x</a", "<a>x</b>", "<a>x</a></a>", "<a>x</a>y", "<a>x</a><a>x</a>", "<a><b>x</a></b>",
    "<a><b></a>", "<a>x</b></a>", "< a>x</a>", "<a>x< /a>", "<a>x</a b='1'>", "<a>x<!-- </a>", "<a>x<![CDATA[ </a>",
    "<a>x<?p </a>", "<a>x & y</a>", "<a>x &foo; y</a>", "<a b=1>x</a>", "<a b>x</a>", "<a b='1' b='1'>x</a>",
    "<a b='1'c='2'>x</a>", "<a b='<'>x</a>", "<a b='&'>x</a>", "<a>x ]]> y</a>", "<a>x\u0000</a>", "<a/ >",
    "<1a>x</1a>", "x<a>x</a>", "<a>x</a><", "<a>x<</a>", "<a>x<!foo></a>", "plain", "<>x</>", "</a>",
  ]; // biome-ignore format: a list
  for (const broken of BROKEN) {
    test(`${JSON.stringify(broken)} is not XML, and never a match with what is`, () => {
      assert.equal(readXml(broken).kind, "not");
      const mended = "<a>x</a>";
      const comparison = xml(mended, broken);
      assert.deepEqual(placesOf(comparison), ["$ type"]);
      assert.match(factsOf(comparison)[0]?.new ?? "", /^not XML \(/);
      assert.deepEqual(placesOf(xml(broken, mended)), ["$ type"]);
    });
  }

  test("broken on both sides is compared as text", () => {
    assert.deepEqual(placesOf(xml("<a>x", "<a>y")), ["line[1] value"]);
  });

  test("any tree that is written as XML is read, and one text changed in it is found", () => {
    interface Node {
      readonly name: string;
      readonly text: string;
      readonly children: readonly Node[];
    }
    const node: fc.Memo<Node> = fc.memo((depth) =>
      fc.record({
        name: fc.constantFrom("a", "b", "_c", "é", "x:y", "__proto__", "constructor"),
        text: fc.string({ unit: fc.constantFrom("a", "Z", "<", "&", "]", ">", '"', "é", "😀") }),
        children: depth > 1 ? fc.array(node(depth - 1), { maxLength: 4 }) : fc.constant([]),
      }),
    );
    const encode = (text: string) => text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
    const write = ({ name, text, children }: Node, space: string): string =>
      `<${name} t="${encode(text).replaceAll('"', "&quot;")}">${space}${children.map((child) => write(child, space)).join(space)}${space}</${name}>`;
    fc.assert(
      fc.property(node(4), (tree) => {
        assert.equal(xml(write(tree, ""), write(tree, "\n ")).kind, "match");
        const changed = { ...tree, text: `${tree.text}!` };
        assert.deepEqual(placesOf(xml(write(tree, ""), write(changed, ""))).length, 1);
      }),
    );
  });
});

describe("HTML", () => {
  test("is read as browsers mend it, html, head and body without an index", () => {
    const page =
      "<!DOCTYPE html><html><head><title>A  b</title></head><body class=x><p>one<p>two <b>2</b></body></html>";
    assert.deepEqual(treeOf(readHtml(page)), {
      "#doctype": "doctype html",
      html: {
        "#order": "head body",
        head: { title: [{ "#text": "A b" }] },
        body: { "@class": "x", p: [{ "#text": "one" }, { "#text": "two <b/>", b: [{ "#text": "2" }] }] },
      },
    });
    assert.deepEqual(placesOf(html(page, page.replace("one", "1"))), ["$.html.body.p[0]['#text'] value"]);
  });

  test("spaces, comments, quotes, case of tags and optional end tags do not matter", () => {
    const old = '<!doctype html><UL Class="x"><LI>a &amp; b<LI>c</UL><input disabled>';
    const fresh =
      "<!DOCTYPE html>\n<ul class=x>\n <li>a\n&#38; b</li> <!-- ! --> <li> c </li>\n</ul>\n<input disabled='' />";
    assert.equal(html(old, fresh).kind, "match");
  });

  test("a space beside an inline element counts, beside a block it does not", () => {
    assert.equal(html("<p>a <b>x</b></p>", "<p>a<b>x</b></p>").kind, "mismatch");
    assert.equal(html("<p>a <b>b</b> <i>i</i></p>", "<p>a <b>b</b><i>i</i></p>").kind, "mismatch");
    assert.equal(html("<div>a <p>x</p></div>", "<div>a<p>x</p></div>").kind, "match");
    assert.equal(html("<p>a&nbsp;b</p>", "<p>a b</p>").kind, "mismatch");
  });

  test("white space between words is one space, between blocks and controls it is none", () => {
    const same = (old: string, fresh: string) =>
      assert.equal(html(old, fresh).kind, "match", `${old} ${fresh}`);
    const other = (old: string, fresh: string) =>
      assert.equal(html(old, fresh).kind, "mismatch", `${old} ${fresh}`);
    other("<p><b>a</b> <b>c</b></p>", "<p><b>a</b><b>c</b></p>");
    other("<nav><a>a</a> <i>c</i></nav>", "<nav><a>a</a><i>c</i></nav>");
    same("<p><b>a</b> <b>c</b></p>", "<p>\n  <b>a</b>\n  <b>c</b>\n</p>");
    same("<ul> <li>a</li> <li>b</li> </ul>", "<ul><li>a</li><li>b</li></ul>");
    same("<div> <b>a</b> <p>x</p> </div>", "<div><b>a</b><p>x</p></div>");
    same(
      "<form><input> <select></select> <button>x</button></form>",
      "<form><input><select></select><button>x</button></form>",
    );
    other("<pre><b>a</b> <b>c</b></pre>", "<pre><b>a</b><b>c</b></pre>");
    other("<pre><b>a</b>\n<b>c</b></pre>", "<pre><b>a</b> <b>c</b></pre>");
  });

  test("the text of pre, textarea, script and style is kept as it is", () => {
    for (const name of ["pre", "textarea", "script", "style"]) {
      const old = `<${name}>a  &lt;b\n</${name}>`;
      assert.equal(html(old, old).kind, "match");
      assert.equal(html(old, old.replace("  ", " ")).kind, "mismatch", name);
      assert.equal(html(old, old.replace("\n", "\r\n")).kind, "mismatch", name);
    }
  });

  test("a page that was cut off never equals the whole one", () => {
    const page = "<html><body><div><section>text</section></div></body></html>";
    for (let length = 1; length < page.length; length++) {
      const comparison = html(page, page.slice(0, length));
      // The end tags of body and html may be left out, and mean nothing.
      const isWhole =
        page.slice(0, length).endsWith("</div>") || /<\/body>(<\/html)?$/.test(page.slice(0, length));
      if (!isWhole) assert.equal(comparison.kind, "mismatch", page.slice(0, length));
    }
  });

  test("an element is never taken for something else that is shown in a tree", () => {
    const second = "<html><body>1</body></html><html><body>2</body></html>";
    assert.equal(html(second, "<html><body>1</body></html><html#2><body>2</body></html#2>").kind, "mismatch");
    for (const name of ["#text", "@id", "#order"])
      assert.equal(xml(`<a><${name}>x</${name}></a>`, "<a><b>x</b></a>").kind, "mismatch");
    assert.equal(readXml("<a><#text>x</#text></a>").kind, "not");
    assert.equal(readXml("<@a/>").kind, "not");
  });

  test("nothing of a broken page is lost: second bodies, attributes of tags left out, bare texts", () => {
    assert.equal(
      html("<html><body>1</body></html>", "<html><body>1</body><body>2</body></html>").kind,
      "mismatch",
    );
    assert.deepEqual(treeOf(readHtml("<p b=1><form a=1>x<form c=3>y")), {
      "#order": "p form",
      "#unclosed": "form",
      form: [{ "@a": "1", "#text": "xy" }],
      p: [{ "@b": "1" }],
    });
    assert.deepEqual(treeOf(readHtml("just text")), { "#text": "just text" });
  });

  test("HTML beside JSON is one difference of type", () => {
    const type = { type: "application/json" };
    assert.deepEqual(placesOf(comparedBodies('{"a":1}', "<html>oops</html>", type)), ["$ type"]);
  });
});

describe("bounds", () => {
  for (const [name, read] of [
    ["XML", readXml],
    ["HTML", readHtml],
  ] as const) {
    test(`${name} nested too deep is refused in no time`, () => {
      const nested = (depth: number) => `${"<div>".repeat(depth)}${"</div>".repeat(depth)}`;
      assert.equal(read(nested(MAX_ELEMENT_DEPTH)).kind, "tree");
      for (const depth of [MAX_ELEMENT_DEPTH + 1, 10_000, 500_000]) {
        assert.equal(atBoundedCost(() => read(nested(depth))).kind, "too_deep");
        assert.equal(atBoundedCost(() => read("<div>".repeat(depth))).kind, "too_deep");
      }
      const type = name === "XML" ? "text/xml" : "text/html";
      const deep = comparedBodies(nested(10_000), nested(10_001), { type });
      assert.deepEqual(deep, { kind: "uncompared", why: "too_deep" });
      const deepest = nested(MAX_ELEMENT_DEPTH);
      const at = deepest.indexOf("</");
      const changed = `${deepest.slice(0, at)}x${deepest.slice(at)}`;
      assert.equal(comparedBodies(deepest, changed, { type }).kind, "mismatch");
    });

    test(`${name} of too many elements or attributes is refused in no time`, () => {
      const kindOf = (text: string) => atBoundedCost(() => read(text)).kind;
      assert.equal(kindOf(`<r>${"<b/>".repeat(1_000_000)}</r>`), name === "XML" ? "too_large" : "too_deep");
      assert.equal(kindOf(`<r>${"<a></a>".repeat(400_000)}</r>`), "too_large");
      const attributes = Array.from({ length: 5000 }, (_, at) => `a${at}='1'`).join(" ");
      assert.equal(kindOf(`<r ${attributes}></r>`), "too_large");
    });
  }

  test("elements and attributes named like members of every object are what they are", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const old = `<r><${name} ${name}="1">x</${name}></r>`;
      assert.equal(xml(old, `${old} `).kind, "match");
      assert.deepEqual(placesOf(xml(old, old.replace('"1"', '"2"'))), [`$.r.${name}[0]['@${name}'] value`]);
      assert.deepEqual(placesOf(xml(old, "<r/>")), [`$.r.${name} missing`]);
      assert.equal(html(old.toLowerCase(), `${old.toLowerCase()}\n`).kind, "match");
    }
  });

  test("no text makes a reader throw", () => {
    const piece = fc.constantFrom(
      "<",
      ">",
      "/",
      "a",
      "b",
      " ",
      "=",
      '"',
      "'",
      "&",
      "amp;",
      "#1;",
      "!--",
      "-->",
      "?",
      "![CDATA[",
      "]]>",
      "!DOCTYPE",
      "[",
      "]",
      "%",
      "script",
      "form",
      "svg",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        for (const read of [readXml, readHtml]) read(pieces.join(""));
      }),
      { numRuns: 2000 },
    );
  });
});
