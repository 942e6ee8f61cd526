import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { TimeWindow } from "../../src/model/ruleset.ts";
import { isWithin, opensInMs, parseTimeWindow } from "../../src/model/time-window.ts";

function windowOf(text: string): TimeWindow {
  const parsed = parseTimeWindow(text);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.why);
  return parsed.value;
}

function why(text: string): string {
  const parsed = parseTimeWindow(text);
  return parsed.ok ? "" : parsed.why;
}

const at = (iso: string): number => Date.parse(iso);

describe("time window", () => {
  test("office hours are local hours, summer and winter", () => {
    const office = windowOf("Mon-Fri 09:00-16:00 Europe/Berlin");
    assert.equal(isWithin(office, at("2026-01-05T08:00:00Z")), true); // Monday 09:00 CET
    assert.equal(isWithin(office, at("2026-01-05T07:59:59Z")), false);
    assert.equal(isWithin(office, at("2026-07-06T07:00:00Z")), true); // Monday 09:00 CEST
    assert.equal(isWithin(office, at("2026-07-06T14:00:00Z")), false); // the end is outside
    assert.equal(isWithin(office, at("2026-07-05T10:00:00Z")), false); // Sunday
  });

  test("hours over midnight belong to the day that they begin on", () => {
    const night = windowOf("Fri 22:00-02:00");
    assert.equal(isWithin(night, at("2026-07-03T23:00:00Z")), true);
    assert.equal(isWithin(night, at("2026-07-04T01:59:00Z")), true);
    assert.equal(isWithin(night, at("2026-07-03T01:00:00Z")), false);
    assert.equal(isWithin(night, at("2026-07-04T22:30:00Z")), false);
  });

  test("days are names, ranges over the end of the week, and lists", () => {
    assert.deepEqual(windowOf("fri-mon 00:00-24:00").days, [1, 5, 6, 7]);
    assert.deepEqual(windowOf("Sat,Sunday 00:00-24:00").days, [6, 7]);
    assert.deepEqual(windowOf("09:00-10:00").days, [1, 2, 3, 4, 5, 6, 7]);
  });

  test("what is no window says what to write instead", () => {
    assert.match(why("whenever"), /such as Mon-Fri 09:00-16:00 Europe\/Berlin/);
    assert.match(why("Mo-Fr 09:00-16:00"), /write e\.g\. Mon-Fri/);
    assert.match(why("Monkey 09:00-16:00"), /write e\.g\. Mon-Fri/);
    assert.match(why("Mon 09:00-25:00"), /00:00 to 24:00/);
    assert.match(why("Mon 09:60-10:00"), /00:00 to 24:00/);
    assert.match(why("Mon 09:00-09:00"), /00:00-24:00/);
    assert.match(why("Mon 09:00-10:00 Berlin"), /IANA name/);
  });

  test("when it opens is found, over a weekend and a clock change", () => {
    const office = windowOf("Mon-Fri 09:07-16:00 Europe/Berlin");
    assert.equal(opensInMs(office, at("2026-01-05T10:00:00Z")), 0);
    // Friday evening before summer time begins on Sunday: Monday 09:07 CEST is 07:07 UTC.
    assert.equal(
      at("2026-03-27T20:00:00Z") + opensInMs(office, at("2026-03-27T20:00:00Z")),
      at("2026-03-30T07:07:00Z"),
    );
  });

  test("it never opens later than it says, nor earlier", () => {
    const windows = fc.constantFrom(
      "Mon-Fri 09:00-16:00 Europe/Berlin",
      "Sun 23:30-00:30 Asia/Kathmandu",
      "Wed 12:01-12:02",
    );
    fc.assert(
      fc.property(windows, fc.integer({ min: 0, max: 365 * 1440 }), (text, minutes) => {
        const window = windowOf(text);
        const now = at("2026-01-01T00:00:30Z") + minutes * 60_000;
        const opens = now + opensInMs(window, now);
        assert.ok(isWithin(window, opens));
        if (opens > now) assert.ok(!isWithin(window, opens - 60_000));
      }),
      { numRuns: 60 },
    );
  });
});
