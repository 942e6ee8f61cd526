/** Deep nesting in every kind that nests. */

import { type Bomb, DEPTH, EVENTS, FORM, HTML, json, MANY, NDJSON, nested, XML } from "./bomb.ts";

export const deepBombs = (): readonly Bomb[] => [
  json("arrays 10,000 deep", nested("[", "1", "]"), nested("[", "2", "]"), { expect: "too_deep" }),
  json("objects 10,000 deep", nested('{"a":', "1", "}"), nested('{"a":', "2", "}"), { expect: "too_deep" }),
  json("deep beside shallow", nested("[", "1", "]"), "[1]", { expect: "too_deep" }),
  json("a million brackets that never close", "[".repeat(MANY), "[".repeat(MANY - 1), {
    expect: "too_large",
  }),
  json("as deep as is compared", nested('[{"a":', "1", "}]", 249), nested('[{"a":', "2", "}]", 249)),
  {
    name: "elements 10,000 deep",
    type: XML,
    old: nested("<a>", "1", "</a>"),
    new: nested("<a>", "2", "</a>"),
    expect: "too_deep",
  },
  {
    name: "divisions 10,000 deep",
    type: HTML,
    old: nested("<div>", "1", "</div>"),
    new: nested("<div>", "2", "</div>"),
    expect: "too_deep",
  },
  {
    name: "100,000 tags that never close",
    type: HTML,
    old: "<i>".repeat(100_000),
    new: `${"<i>".repeat(100_000)}x`,
  },
  {
    name: "a deep line",
    type: NDJSON,
    old: `1\n${nested("[", "1", "]")}`,
    new: `1\n${nested("[", "2", "]")}`,
    expect: "too_deep",
  },
  {
    name: "a deep event",
    type: EVENTS,
    old: `data: ${nested("[", "1", "]")}\n\n`,
    new: `data: ${nested("[", "2", "]")}\n\n`,
    expect: "too_deep",
  },
  {
    name: "deep names in a form",
    type: FORM,
    old: `a${"[b]".repeat(DEPTH)}=1`,
    new: `a${"[b]".repeat(DEPTH)}=2`,
    expect: "mismatch",
  },
];
