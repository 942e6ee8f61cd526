import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import fc from "fast-check";
import {
  parseAccessLog,
  parseAddress,
  parseAdminUrl,
  parseDurationMs,
  parseLogFormat,
  parseSharePpm,
  parseStep,
  parseThreads,
  parseWebhookUrl,
  ValueError,
} from "../../src/cli/address.ts";
import { formatDelay, formatJson, formatUptime, printable } from "../../src/cli/output.ts";
import { addServe } from "../../src/cli/serve-flags.ts";
import { cutEnd, cutMiddle, textWidth, wrapText } from "../../src/cli/width.ts";
import { formatAgo, formatMeasured, formatShare } from "../../src/model/figures.ts";
import { indentJson } from "../../src/model/json-text.ts";

test("an address is host and port, in every common spelling", () => {
  assert.deepEqual(parseAddress("127.0.0.1:8080"), { host: "127.0.0.1", port: 8080 });
  assert.deepEqual(parseAddress("[::1]:0"), { host: "::1", port: 0 });
  assert.deepEqual(parseAddress("http://localhost:9090/"), { host: "localhost", port: 9090 });
});

test("an address that cannot be read says what to write instead", () => {
  assert.throws(() => parseAddress("8080"), { message: "Write the host too: 127.0.0.1:8080" });
  assert.throws(() => parseAddress(":8080"), { message: "Write the host too: 127.0.0.1:8080" });
  for (const text of ["", "localhost", "a:b", "1.2.3.4:70000", "::1:80", "x/y:1"]) {
    assert.throws(() => parseAddress(text), ValueError, text);
  }
});

test("an admin address may be a URL or host:port, and listening everywhere is reached on this machine", () => {
  assert.equal(parseAdminUrl("127.0.0.1:9090"), "http://127.0.0.1:9090");
  assert.equal(parseAdminUrl("https://gw.example.com/"), "https://gw.example.com");
  assert.equal(parseAdminUrl("0.0.0.0:9090"), "http://127.0.0.1:9090");
  assert.equal(parseAdminUrl("[::]:9090"), "http://[::1]:9090");
  for (const text of ["ftp://x", "http://u:p@x", "http://x/api", "http://", "a b"]) {
    assert.throws(() => parseAdminUrl(text), ValueError, text);
  }
});

test("durations carry their unit", () => {
  assert.equal(parseDurationMs("250ms"), 250);
  assert.equal(parseDurationMs("1.5s"), 1_500);
  assert.equal(parseDurationMs("5m"), 300_000);
  assert.equal(parseDurationMs("0"), 0);
  assert.throws(() => parseDurationMs("5"), { message: "Write the unit too: 5s" });
  for (const text of ["", "-1s", "1d3", "9999h"])
    assert.throws(() => parseDurationMs(text), ValueError, text);
});

test("threads and the access log refuse what they do not know", () => {
  assert.equal(parseThreads("auto"), "auto");
  assert.equal(parseThreads("4"), 4);
  for (const text of ["0", "-1", "2.5", "1000"]) assert.throws(() => parseThreads(text), ValueError, text);
  assert.deepEqual(parseAccessLog("1%"), { kind: "share", ppm: 10_000 });
  assert.deepEqual(parseAccessLog("0.0001%"), { kind: "share", ppm: 1 });
  assert.deepEqual(parseAccessLog("off"), { kind: "off" });
  assert.throws(() => parseAccessLog("1"), /all, errors, off, or a share: 1%/);
  for (const text of ["", "101%", "some"]) assert.throws(() => parseAccessLog(text), ValueError, text);
  assert.deepEqual(["json", "ecs"].map(parseLogFormat), ["json", "ecs"]);
  assert.throws(() => parseLogFormat("ECS"), { message: "Write json or ecs" });
});

/** What moves a cursor, begins an escape sequence, or reorders a line. */
const ACTS_ON_TERMINALS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

test("no text can act on a terminal", () => {
  assert.equal(printable("a\u001b[2Jb\u009bc\nd"), "a\\x1b[2Jb\\x9bc\\x0ad");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !ACTS_ON_TERMINALS.test(printable(text))));
});

test("JSON output cannot act on a terminal and still means the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
      const written = formatJson({ value, text });
      assert.ok(!ACTS_ON_TERMINALS.test(written.replaceAll("\n", "")));
      assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify({ value, text })));
    }),
  );
});

test("a share is printed as the rules would write it", () => {
  assert.equal(formatShare(0.05), "5%");
  assert.equal(formatShare(0.000001), "0.0001%");
  assert.equal(formatShare(1), "100%");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ppm) => {
      assert.equal(Math.round(Number(formatShare(ppm / 1_000_000).replace("%", "")) * 10_000), ppm);
    }),
  );
});

test("times read like times", () => {
  assert.deepEqual([0, 59.9, 61, 3_700, 100_000].map(formatUptime), ["0s", "59s", "1m 1s", "1h 1m", "1d 3h"]);
});

test("samples are stored unless the flag or the variable says otherwise", () => {
  const program = new Command();
  const streams = { out: { write: () => undefined }, err: { write: () => undefined } };
  addServe(program, { streams, env: {}, paint: (_style, text) => text }, () => undefined);
  const [serve] = program.commands;
  const samplesAfter = (words: readonly string[]) => {
    serve?.parseOptions([...words]);
    return serve?.opts().samples as unknown;
  };
  assert.equal(samplesAfter([]), true);
  assert.equal(samplesAfter(["--no-samples"]), false);
  assert.equal(samplesAfter(["--samples", "on"]), true);
  assert.equal(samplesAfter(["--samples", "off"]), false);
  assert.match(serve?.helpInformation() ?? "", /--no-samples +store nothing .*CUTOVER_SAMPLES=off/s);
});

test("a measured share is told in three digits, and never as all or none when it is not", () => {
  const shares = [0, 0.00001, 0.0037, 0.12345, 0.5, 0.9995, 1];
  const words = ["0%", "<0.01%", "0.37%", "12.3%", "50%", ">99.9%", "100%"];
  assert.deepEqual(shares.map(formatMeasured), words);
});

test("how long ago is said in the unit that is read", () => {
  const at = "2026-01-02T03:04:05.000Z";
  const after = (seconds: number) => formatAgo(at, Date.parse(at) + seconds * 1000);
  assert.deepEqual([-5, 0, 42, 200, 7_300, 200_000].map(after), [
    "just now",
    "just now",
    "42 s ago",
    "3 min ago",
    "2 h ago",
    "2 days ago",
  ]);
  assert.equal(formatAgo("nonsense", 0), "–");
  assert.deepEqual([0.5, 250, 2_100].map(formatDelay), ["0.5 ms", "250 ms", "2.1 s"]);
});

test("a cut text takes no more cells than it may, and no character is cut in two", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 80 }).map(printable);
  fc.assert(
    fc.property(texts, fc.nat({ max: 60 }), (text, width) => {
      for (const cut of [cutEnd(text, width), cutMiddle(text, width)]) {
        assert.ok(textWidth(cut) <= width);
        assert.ok(cut.isWellFormed() || !text.isWellFormed());
        if (textWidth(text) <= width) assert.equal(cut, text);
      }
    }),
  );
  assert.deepEqual([cutEnd("漢字漢字", 5), cutMiddle("$.items.price", 8)], ["漢字…", "$.i…rice"]);
});

test("JSON is indented without changing a token, cut or whole", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), (value, length) => {
      const text = JSON.stringify(value);
      assert.deepEqual(JSON.parse(indentJson(text)), JSON.parse(text));
      const cut = text.slice(0, length % (text.length + 1));
      assert.equal(bare(indentJson(cut)), bare(cut));
    }),
  );
  const given = '{"a": 1.50,"a":[ ],"b":[1,{}],"c":"\\" {,"}';
  const wanted = '{\n  "a": 1.50,\n  "a": [],\n  "b": [\n    1,\n    {}\n  ],\n  "c": "\\" {,"\n}';
  assert.equal(indentJson(given), wanted);
});

/** Without what may stand between tokens. */
function bare(text: string): string {
  return text.replace(/\s/g, "");
}

test("a share is written as in the rules, and a step as in status", () => {
  assert.equal(parseSharePpm("25%"), 250_000);
  assert.equal(parseSharePpm(" 0.0001% "), 1);
  assert.equal(parseSharePpm("100.0%"), 1_000_000);
  assert.throws(() => parseSharePpm("25"), { message: /^Write 25%/ });
  for (const text of ["", "%", "-1%", "101%", "0.00001%", "1e1%", "a"]) {
    assert.throws(() => parseSharePpm(text), ValueError, text);
  }
  assert.equal(parseStep("0"), 0);
  for (const text of ["", "-1", "1.5", "x", "99999"]) assert.throws(() => parseStep(text), ValueError, text);
});

test("a webhook is a URL without credentials", () => {
  assert.equal(parseWebhookUrl(" https://h.example/a?b=c "), "https://h.example/a?b=c");
  for (const text of [
    "",
    "h.example",
    "ftp://h",
    "https://",
    "https://u:p@h/",
    "https://h/#x",
    `https://h/${"x".repeat(2_000)}`,
  ]) {
    assert.throws(() => parseWebhookUrl(text), ValueError, text);
  }
});

test("a wrapped text fits, keeps every character but spaces, and breaks words only where they are too long", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 40 }), (text, width) => {
      const shown = printable(text);
      const lines = wrapText(shown, width);
      assert.ok(lines.length > 0);
      for (const line of lines) assert.ok(textWidth(line) <= width, JSON.stringify(line));
      assert.equal(lines.join("").replace(/\s/gu, ""), shown.replace(/\s/gu, ""));
      const cut = wrapText(shown, width, 2);
      assert.ok(cut.length <= 2);
      assert.equal(cut.length === 1 || cut[0] === lines[0], true);
    }),
  );
  assert.deepEqual(wrapText("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrapText("one two three", 6), ["one", "two", "three"]);
  assert.deepEqual(wrapText("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
  assert.deepEqual(wrapText("one two three four", 7, 2), ["one two", "three …"]);
  assert.deepEqual(wrapText("", 5), [""]);
  assert.deepEqual(wrapText("漢", 1), ["漢"]);
});
