/** Many items, members and digits. */

import { type Bomb, json, MANY, MIB, nested, numbered } from "./bomb.ts";

const key = (at: number): string => `"key${at}"`;

/** Many items, members and digits. */
export const wideBombs = (): readonly Bomb[] => {
  const items = numbered(150_000, (at) => String(at % 7));
  const million = numbered(MANY, (at) => String(at % 7));
  const members = Array.from({ length: 30_000 }, (_, at) => `${key(at)}:${at}`);
  const records = Array.from({ length: 20_000 }, (_, at) => `{"id":${at},"v":${at * 3}}`);
  const object = (of: readonly string[]): string => `{${of.join()}}`;
  const list = (of: readonly string[]): string => `[${of.join()}]`;
  const vector = (at: number, last: number): string => `{"v":[${"1,".repeat(900)}${at * 10},${last}]}`;
  return [
    json("150,000 items, the last differs", `[${items},1]`, `[${items},2]`),
    json("150,000 items, the first is gone", `[9,${items}]`, `[${items}]`),
    json("150,000 items, many of them differ", `[${items}]`, `[${items.replaceAll("3", "4")}]`),
    json("90,000 empty lists beside objects", `[${"[],".repeat(90_000)}1]`, `[${"{},".repeat(90_000)}1]`),
    json("a million items", `[${million},1]`, `[${million},2]`, { expect: "too_large" }),
    json(
      "30,000 members, one differs",
      object(members),
      object(members.toReversed().with(500, '"key1":null')),
    ),
    json("30,000 members, other names", object(members), object(members).replaceAll("key", "Key")),
    json(
      "one name 100,000 times",
      `{${'"a":1,'.repeat(100_000)}"a":2}`,
      `{${'"a":1,'.repeat(100_000)}"a":3}`,
    ),
    json("20,000 records turned round", list(records), list(records.toReversed())),
    json(
      "20,000 unordered records, half of them changed",
      list(records),
      list(records.toReversed().map((each, at) => (at % 2 ? each : each.replace('"v":', '"v":1')))),
      {
        compare: { unordered: ["$"] },
      },
    ),
    json(
      "20,000 unordered items without a name",
      `[${numbered(20_000, (at) => `{"a":${at % 9},"b":${at}}`)}]`,
      `[${numbered(20_000, (at) => `{"b":${at}.5,"a":${at % 9}}`)}]`,
      {
        compare: { unordered: ["$"] },
      },
    ),
    json(
      "unordered vectors, all but alike, within no tolerance",
      list(Array.from({ length: 150 }, (_, at) => vector(at % 2, 1))),
      list(Array.from({ length: 150 }, (_, at) => vector(at % 2, 7))),
      {
        compare: { unordered: ["$"], tolerance: [{ path: "$..v[*]", absolute: 2, relative: null }] },
      },
    ),
    json("every place tolerated", `[${items}]`, `[${items.replaceAll("3", "9")}]`, {
      compare: { tolerance: [{ path: "$..*", absolute: 1, relative: 0.01 }] },
    }),
    json(
      "every path twice over",
      `{"a":${nested('[{"a":', "1", "}]", 200)}}`,
      `{"a":${nested('[{"a":', "2", "}]", 200)}}`,
      {
        compare: { ignore: ["$..a..a..b", "$..*..*..c"], unordered: ["$..a..*..a"] },
      },
    ),
    json(
      "10,000 numbers of 300 digits",
      `[${numbered(10_000, (at) => `${at}${"1".repeat(300)}`)},${"7".repeat(300)}]`,
      `[${numbered(10_000, (at) => `${at}${"1".repeat(300)}`)},${"7".repeat(299)}8]`,
    ),
    json("a number of a million digits", `[${"1".repeat(MANY)}1]`, `[${"1".repeat(MANY)}2]`),
    json("a fraction of a million zeros", `[0.${"0".repeat(MANY)}1]`, `[0.${"0".repeat(MANY)}2]`),
    json(
      "two texts of 3 MiB, the last character differs",
      `["${"a".repeat(3 * MIB)}b"]`,
      `["${"a".repeat(3 * MIB)}c"]`,
    ),
    json("a text of 3 MiB in capitals", `["${"ab ".repeat(MIB)}"]`, `["${"AB ".repeat(MIB)}"]`),
    json("names of a megabyte", `{"${"k".repeat(MIB)}1":1}`, `{"${"k".repeat(MIB)}2":1}`),
  ];
};
