import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPatch } from "diff";
import fc from "fast-check";
import { parse } from "yaml";
import { addIgnore } from "../../src/rules/edit.ts";
import { unifiedPatch } from "../../src/rules/patch.ts";

/** What rules look like, as lines of a route's fields at no indent; `ignore` is what they ignore by then. */
interface Layout {
  readonly lines: readonly string[];
  readonly ignore: readonly string[] | null;
}

const comment = fc.constantFrom("", "", " # why", " # a, b: [c] {d}", "   #");
const written = fc.constantFrom("$.a", '"$.b"', "'$.c'", "\"$['d']\"", "$..e");
const read = (item: string): string => parse(item) as string;

const blockList = fc
  .record({
    items: fc.array(fc.tuple(written, comment), { minLength: 1, maxLength: 4 }),
    step: fc.constantFrom("", "  ", "    "),
    between: fc.constantFrom<string[]>([], [""], ["    # - $.out"]),
    head: comment,
    gap: fc.constantFrom(" ", "   "),
  })
  .map(
    ({ items, step, between, head, gap }): Layout => ({
      lines: [
        `ignore:${head}`,
        ...items.flatMap(([item, why]) => [`${step}-${gap}${item}${why}`, ...between]),
      ],
      ignore: items.map(([item]) => read(item)),
    }),
  );

const flowLine = fc
  .record({
    items: fc.array(written, { maxLength: 4 }),
    padding: fc.constantFrom("", " "),
    trailing: fc.constantFrom("", ",", " ,"),
    why: comment,
  })
  .map(
    ({ items, padding, trailing, why }): Layout => ({
      lines: [`ignore: [${padding}${items.join(", ")}${items.length > 0 ? trailing : ""}${padding}]${why}`],
      ignore: items.map(read),
    }),
  );

const flowLines = fc
  .record({
    items: fc.array(fc.tuple(written, comment), { minLength: 1, maxLength: 4 }),
    trailing: fc.boolean(),
    close: fc.constantFrom("]", "  ]"),
    isClosedBehind: fc.boolean(),
  })
  .map(({ items, trailing, close, isClosedBehind }): Layout => {
    const lines = items.map(([item, why], index) => {
      const isLast = index === items.length - 1;
      const comma = !isLast || trailing ? "," : "";
      return `  ${item}${comma}${isLast && isClosedBehind ? "]" : ""}${why}`;
    });
    return {
      lines: ["ignore: [", ...lines, ...(isClosedBehind ? [] : [close])],
      ignore: items.map(([item]) => read(item)),
    };
  });

const noList: fc.Arbitrary<Layout> = fc.constant({ lines: [], ignore: null });
const ignoreLayout = fc.oneof(blockList, flowLine, flowLines, noList);

const otherFields = fc.subarray(
  [["body: json # so"], ["headers:", "  - etag", "  - age # x"], ["# nothing", "tolerance: []"]],
  { minLength: 1 },
);

const indented = (lines: readonly string[], by: string) =>
  lines.map((line) => (line === "" ? line : by + line));

const compareLayout = fc.oneof(
  fc
    .record({
      list: ignoreLayout,
      others: otherFields,
      isFirst: fc.boolean(),
      head: comment,
      step: fc.constantFrom("  ", "    "),
    })
    .map(({ list, others, isFirst, head, step }): Layout => {
      const rest = others.flat();
      const lines = isFirst ? [...list.lines, ...rest] : [...rest, ...list.lines];
      return { lines: [`compare:${head}`, ...indented(lines, step)], ignore: list.ignore };
    }),
  fc.record({ list: flowLine, others: fc.constantFrom("body: json, ", "") }).map(
    ({ list, others }): Layout => ({
      lines: [`compare: { ${others}${(list.lines[0] ?? "").replace(/ *#.*/, "")} } # x`],
      ignore: list.ignore,
    }),
  ),
  fc.constantFrom<Layout>(
    { lines: ["compare: {}"], ignore: null },
    { lines: ["compare: {  }  # none"], ignore: null },
    { lines: ["compare: { body: json } # flow"], ignore: null },
    { lines: ["compare: {", "  body: json, # one", "  status: true # two", "}"], ignore: null },
    { lines: [], ignore: null },
    { lines: ["# no compare", ""], ignore: null },
  ),
);

const document = fc
  .record({
    compare: compareLayout,
    isCompareLast: fc.boolean(),
    listIndent: fc.constantFrom("", "  ", "    "),
    gap: fc.constantFrom(" ", "   "),
    before: fc.boolean(),
    after: fc.boolean(),
    blank: fc.constantFrom<string[]>([], [""], ["", "# next", ""]),
    defaults: fc.constantFrom<readonly string[] | null>(null, [], ["$.z", "$.y"]),
    eol: fc.constantFrom("\n", "\n", "\r\n"),
    mark: fc.constantFrom("", "", "\uFEFF"),
    isCutOff: fc.boolean(),
  })
  .map((layout) => {
    const fields = layout.isCompareLast
      ? ["shadow: 5% # some", ...layout.compare.lines]
      : [...layout.compare.lines, "shadow: 5%", "guard:", "  errors: off"];
    const by = layout.listIndent + " ".repeat(1 + layout.gap.length);
    const lines = [
      "# rules",
      "version: 1",
      ...(layout.defaults === null ? [] : ["defaults:", `  compare: { ignore: [${layout.defaults}] }`]),
      "routes: # in order",
      ...(layout.before
        ? [`${layout.listIndent}- { name: first, compare: { ignore: [$.q] } }`, ...layout.blank]
        : []),
      `${layout.listIndent}-${layout.gap}name: r`,
      ...indented(fields, by),
      ...layout.blank,
      ...(layout.after ? [`${layout.listIndent}- name: last`, `${layout.listIndent}  compare: off`] : []),
    ];
    const text = layout.mark + lines.join(layout.eol) + (layout.isCutOff ? "" : layout.eol);
    const { ignore } = layout.compare;
    return { text, index: layout.before ? 1 : 0, expected: ignore ?? layout.defaults ?? [] };
  });

const path = fc.constantFrom(
  "$.new",
  "$['it\\'s']",
  '$["x"]',
  "$..n",
  "$[?@.v > 1]",
  "$[': # ,]}']",
  "$['ü']",
);

type Rules = { routes: { compare?: { ignore?: string[] } }[] };

function isSubsequence(shorter: string, longer: string): boolean {
  let at = 0;
  for (const character of longer)
    if (at < shorter.length && shorter.startsWith(character, at)) at += character.length;
  return at === shorter.length;
}

test("in any layout the path is added, nothing else means another thing, and no character goes", () => {
  fc.assert(
    fc.property(document, path, ({ text, index, expected }, added) => {
      const edit = addIgnore(text, "r", added);
      assert.ok(edit.kind === "edited", edit.kind === "cannot" ? `${edit.why}\n${text}` : text);

      const meant = parse(text) as Rules;
      const route = meant.routes[index];
      assert.ok(route);
      route.compare = { ...route.compare, ignore: [...expected, added] };
      assert.deepEqual(parse(edit.text), meant, edit.text);

      assert.ok(isSubsequence(text, edit.text), edit.text);
      const kept = new Set(edit.text.split("\n").map((line) => line.replace(/\r$/, "")));
      const changed = text.split("\n").filter((line) => !kept.has(line.replace(/\r$/, "")));
      assert.ok(changed.length <= 1, `${changed.join("\n")}\n---\n${edit.text}`);
      assert.equal(text.includes("\r\n"), edit.text.includes("\r\n"));
      assert.equal(
        edit.text.replaceAll("\r\n", "").includes("\n"),
        text.replaceAll("\r\n", "").includes("\n"),
      );

      const again = addIgnore(edit.text, "r", added);
      assert.deepEqual(again, { kind: "already", file: "the rules", line: edit.line }, edit.text);
      assert.equal(applyPatch(text, unifiedPatch("a.yaml", text, edit.text)), edit.text);
    }),
    { numRuns: 300 },
  );
});

const SOUND = `version: 1
defaults: { compare: { ignore: ["$.d"] } }
routes:
  - name: r
    compare:
      ignore:
        - '$.a' # x
      headers: [a, b]
  - { name: q, compare: &c { ignore: [$.x,
      $.y] } }
  - name: s
    compare: *c
`;
const damage = fc.record({
  at: fc.nat(SOUND.length),
  taken: fc.nat(5),
  put: fc.constantFrom(
    "",
    "\n",
    "  ",
    "- ",
    ": ",
    " #",
    "[",
    "}",
    ",",
    "'",
    "|\n",
    "&a ",
    "*c",
    "? ",
    "\t",
    "\r",
    "~",
  ),
});

test("in a damaged text an edit is right or refused, and never thrown", () => {
  fc.assert(
    fc.property(
      damage,
      fc.constantFrom("r", "q", "s"),
      fc.constantFrom("$.new", "header:a"),
      (slip, route, added) => {
        const text = SOUND.slice(0, slip.at) + slip.put + SOUND.slice(slip.at + slip.taken);
        const edit = addIgnore(text, route, added);
        if (edit.kind === "cannot") return assert.ok(edit.why.length > 0);
        // A field that was taken out of compare.headers is not compared any more.
        const settled = added.startsWith("header:") ? ["already", "not-compared"] : ["already"];
        if (edit.kind === "edited") assert.ok(settled.includes(addIgnore(edit.text, route, added).kind));
      },
    ),
    { numRuns: 400 },
  );
});
