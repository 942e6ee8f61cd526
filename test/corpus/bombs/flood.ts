/** Markup, lines, events and fields by the million. */

import { type Bomb, EVENTS, FORM, HTML, MANY, MIB, NDJSON, numbered, XML } from "./bomb.ts";

export const floodBombs = (): readonly Bomb[] => {
  const attributes = numbered(100_000, (at) => ` a${at}="${at}"`, "");
  const laughs = numbered(10, (at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`, "");
  const laugh = (text: string): string => `<!DOCTYPE a [<!ENTITY l0 "${text}">${laughs}]><a>&l10;</a>`;
  const lines = numbered(MANY, (at) => String(at % 10), "\n");
  const both = (name: string, type: string, make: (mark: string) => string, expect?: "mismatch"): Bomb => ({
    name,
    type,
    old: make("1"),
    new: make("2"),
    ...(expect === undefined ? {} : { expect }),
  });
  return [
    both("a billion laughs", XML, laugh, "mismatch"),
    both("100,000 attributes", XML, (mark) => `<a${attributes} z="${mark}"/>`),
    both("100,000 attributes in a page", HTML, (mark) => `<a${attributes} z="${mark}">`),
    both("100,000 siblings", XML, (mark) => `<r>${"<a/>".repeat(100_000)}<b>${mark}</b></r>`),
    both(
      "100,000 siblings of two names by turns",
      XML,
      (mark) => `<r>${"<a/><c/>".repeat(50_000)}<b>${mark}</b></r>`,
    ),
    both("a million opening brackets", XML, (mark) => "<".repeat(MANY) + mark, "mismatch"),
    both("a million opening brackets in a page", HTML, (mark) => "<".repeat(MANY) + mark, "mismatch"),
    both("a comment without end", XML, (mark) => `<a><!--${"-".repeat(MANY)}${mark}`, "mismatch"),
    both(
      "a comment without end in a page",
      HTML,
      (mark) => `<p>${mark}<!--${"--!".repeat(MANY / 4)}`,
      "mismatch",
    ),
    both("a tag of a million spaces", XML, (mark) => `<a${" ".repeat(MANY)}x="${mark}"/>`, "mismatch"),
    both(
      "a tag of half a million bare names",
      XML,
      (mark) => `<a${" b".repeat(MANY / 2)} x="${mark}"/>`,
      "mismatch",
    ),
    both("ampersands by the million", XML, (mark) => `<a>${"&".repeat(MANY)}${mark}</a>`, "mismatch"),
    both(
      "ampersands by the million in a page",
      HTML,
      (mark) => `<p>${"&a".repeat(MANY / 2)}${mark}</p>`,
      "mismatch",
    ),
    both("CDATA by the thousand", XML, (mark) => `<a>${"<![CDATA[x]]>".repeat(50_000)}${mark}</a>`),
    both("100,000 elements in a text", XML, (mark) => `<a>${"<b/>".repeat(100_000)}${mark}</a>`),
    both("instructions by the thousand", XML, (mark) => `<a>${"<?p x?>".repeat(50_000)}${mark}</a>`),
    both("white space by the megabyte", HTML, (mark) => `<p>${" \n\t".repeat(MIB)}${mark}</p>`, "mismatch"),
    both("selects within selects", HTML, (mark) => `${"<select><option>".repeat(20_000)}${mark}`),
    both("a million lines", NDJSON, (mark) => `${lines}\n${mark}${mark}`),
    both("a million lines that are no JSON", NDJSON, (mark) => "x\n".repeat(MANY) + mark),
    both("a million separators", "application/json-seq", (mark) => "\x1e".repeat(MANY) + mark),
    both("an endless line", EVENTS, (mark) => `data: ${"x".repeat(4 * MIB)}${mark}\n\n`, "mismatch"),
    both("a million empty lines", EVENTS, (mark) => `${"\n".repeat(MANY)}data: ${mark}\n\n`),
    both(
      "100,000 data fields of one event",
      EVENTS,
      (mark) => `${"data: x\n".repeat(100_000)}data: ${mark}\n\n`,
      "mismatch",
    ),
    both("a million fields", FORM, (mark) => `${"a=1&".repeat(MANY)}b=${mark}`),
    both("percent signs by the million", FORM, (mark) => `a=${"%".repeat(MANY)}${mark}`, "mismatch"),
    both("90,000 other names", FORM, (mark) => numbered(90_000, (at) => `n${mark}${at}=`, "&"), "mismatch"),
    both("a million lines, the last differs", "text/plain", (mark) => `${lines}\n${mark}`, "mismatch"),
    both(
      "a million lines, all of them differ",
      "text/plain",
      (mark) => lines.replaceAll("\n", `${mark}\n`),
      "mismatch",
    ),
    both(
      "lines by turns",
      "text/plain",
      (mark) => numbered(9_000, (at) => String((at * Number(mark)) % 97), "\n"),
      "mismatch",
    ),
    both("a line of 4 MiB", "text/plain", (mark) => "x".repeat(4 * MIB) + mark, "mismatch"),
    both(
      "line ends alone",
      "text/plain",
      (mark) => (mark === "1" ? "\n" : "\r\n").repeat(500_000),
      "mismatch",
    ),
    both(
      "8 MiB of bytes, the last differs",
      "application/octet-stream",
      (mark) => "x".repeat(8 * MIB - 1) + mark,
      "mismatch",
    ),
    both(
      "nothing that says what it is",
      null as unknown as string,
      (mark) => "[".repeat(2000) + mark,
      undefined,
    ),
    {
      name: "headers of 64 KiB",
      type: null,
      old: "same",
      new: "same",
      compare: { headers: ["content-type", "x-long"] },
      headers: [
        ["content-type", `text/plain${';a="\\"'.repeat(10_000)}`, "x-long", `${"a, ".repeat(20_000)}1`],
        ["content-type", `text/plain${';a="\\"'.repeat(10_000)};b`, "x-long", `${"a, ".repeat(20_000)}2`],
      ],
      expect: "mismatch",
    },
    {
      name: "a header 10,000 times",
      type: null,
      old: "same",
      new: "same",
      compare: { headers: ["x-many"] },
      headers: [Array(20_000).fill("x-many"), [...Array(19_998).fill("x-many"), "x-many", "other"]],
      expect: "mismatch",
    },
  ];
};
