/** One request case on the wire: what is sent, what the client sees, what reaches the backend. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { RawClient, type Talk } from "./client.ts";
import { type Framing, type Message, valuesIn } from "./reading.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

export interface Reached {
  /** Method and target. */
  readonly line: string;
  readonly framing?: Framing;
  readonly body?: string;
  /** Values that a field has at the backend, in order; [] for none. */
  readonly fields?: Readonly<Record<string, readonly string[]>>;
}

export interface Case {
  readonly name: string;
  readonly raw: string;
  /** Statuses that are right, one set an answer; empty: a close without a word is right too. */
  readonly statuses: readonly (readonly number[])[];
  readonly silentAllowed: boolean;
  readonly keepsOpen: boolean;
  readonly reached: readonly Reached[];
  /** Right too: a refusal with one of these statuses, and nothing at the backend. */
  readonly orRefused: readonly number[];
}

const H = "Host: a.test";
const NEVER = "GET /never HTTP/1.1\r\nHost: a.test\r\n\r\n";
const AFTER = "GET /after HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

/** A request of these lines; `body` follows the empty line. */
export function lines(first: string, fields: readonly string[] = [H], body = ""): string {
  return [first, ...fields, "", body].join("\r\n");
}

/** A POST with a Host and these fields. */
export function post(fields: readonly string[], body = ""): string {
  return lines("POST / HTTP/1.1", [H, ...fields], body);
}

/** A GET with a Host and these fields. */
export function get(fields: readonly string[] = [], target = "/"): string {
  return lines(`GET ${target} HTTP/1.1`, [H, ...fields]);
}

/** A chunked POST with this body, byte for byte. */
export function chunked(body: string): string {
  return post(["Transfer-Encoding: chunked"], body);
}

export interface RefusedOptions {
  /** Right statuses; default: 400. */
  readonly status?: readonly number[];
  /** A close without an answer is right too. */
  readonly silent?: boolean;
}

/** Refused: one answer or none, the connection closed, nothing at the backend, nor what comes after it. */
export function refused(
  name: string,
  raw: string,
  { status = [400], silent = false }: RefusedOptions = {},
): Case {
  return {
    name,
    raw,
    statuses: [status],
    silentAllowed: silent,
    keepsOpen: false,
    reached: [],
    orRefused: [],
  };
}

/** Passed on as exactly these requests, each answered 200; the connection serves on. */
export function passed(name: string, raw: string, ...reached: readonly Reached[]): Case {
  const statuses = reached.map(() => [200]);
  return { name, raw, statuses, silentAllowed: false, keepsOpen: true, reached, orRefused: [] };
}

/** Refused, or passed on as exactly this: RFC 9112 leaves the choice, or node:http does not tell. */
export function either(name: string, raw: string, status: readonly number[], reached: Reached): Case {
  return { ...passed(name, raw, reached), orRefused: status };
}

/** Answered by the gateway itself, with nothing at the backend; whether it closes is its own business. */
export function answered(name: string, raw: string, status: readonly number[]): Case {
  return { name, raw, statuses: [status], silentAllowed: false, keepsOpen: true, reached: [], orRefused: [] };
}

/** Groups of cases, by title, against one gateway and one recording backend. */
export function suites(title: string, groups: Readonly<Record<string, readonly Case[]>>): void {
  describe(title, () => {
    let recorder: Recorder;
    let gateway: TestGateway;
    before(async () => {
      recorder = await startRecorder();
      gateway = await TestGateway.start({ rules: rulesFor(recorder.url, recorder.url, "") });
    });
    after(async () => {
      await gateway[Symbol.asyncDispose]();
      await recorder[Symbol.asyncDispose]();
    });
    for (const [group, cases] of Object.entries(groups)) {
      describe(group, () => {
        for (const each of cases) test(each.name, () => run(each, gateway, recorder));
      });
    }
    test("after all of them no thread has died, nothing was held against a side, no bug has shown", async () => {
      assert.deepEqual(recorder.violations, []);
      assert.ok(!gateway.lines.some((line) => line.msg === "thread-replaced"));
      assert.equal(gateway.stderr, "");
      assert.deepEqual((await gateway.route("r")).errors, { old: 0, new: 0 });
    });
  });
}

async function run(each: Case, gateway: TestGateway, recorder: Recorder): Promise<void> {
  const from = recorder.requests.length;
  const violationsBefore = recorder.violations.length;
  const client = new RawClient(gateway.proxyUrl);
  const methods = [each.raw.startsWith("HEAD ") ? "HEAD" : "GET"];
  try {
    await client.send(each.keepsOpen ? each.raw : each.raw + NEVER);
    let talk = await client.until(
      each.keepsOpen ? { methods, untilAnswers: each.statuses.length } : { methods },
    );
    const refusedWith = talk.answers.answers[0]?.status ?? 0;
    if (each.orRefused.includes(refusedWith)) {
      checkRefusal(talk);
      assert.deepEqual(recorder.requests.slice(from), []);
      return;
    }
    checkAnswers(each, talk);
    if (!each.keepsOpen) checkRefusal(talk);
    // An open connection shows by serving on, a closed one by having closed: no wait can be too short.
    const servesOn = each.keepsOpen && !talk.closed && !saysClose(talk);
    if (each.reached.length > 0) assert.ok(servesOn, "the connection should have been kept");
    if (servesOn) {
      await client.send(AFTER);
      talk = await client.until({ methods });
      assert.equal(talk.answers.answers.length, each.statuses.length + 1, talk.bytes);
      assert.equal(talk.answers.answers.at(-1)?.status, 200);
    }
    assert.equal(talk.answers.endAt, talk.bytes.length, `left over: ${talk.bytes.slice(talk.answers.endAt)}`);
    const expected = [...each.reached, ...(servesOn ? [{ line: "GET /after" }] : [])];
    checkReached(recorder.requests.slice(from), expected);
    assert.deepEqual(recorder.violations.slice(violationsBefore), []);
  } finally {
    client.destroy();
  }
}

function saysClose({ answers }: Talk): boolean {
  return answers.answers.some(({ fields }) => valuesIn(fields, "connection").includes("close"));
}

function checkAnswers(each: Case, talk: Talk): void {
  const got = talk.answers.answers.map(({ status }) => status);
  if (got.length === 0 && each.silentAllowed && talk.bytes === "") return;
  assert.equal(got.length, each.statuses.length, `answers ${got.join()}: ${talk.bytes.slice(0, 500)}`);
  for (const [index, allowed] of each.statuses.entries()) {
    assert.ok(allowed.includes(got[index] ?? 0), `status ${got[index]}, not one of ${allowed.join()}`);
  }
}

/** In the gateway's own form, with the end of the connection announced, and without a byte of the request. */
function checkRefusal({ answers }: Talk): void {
  const [answer] = answers.answers;
  if (answer === undefined) return;
  assert.deepEqual(valuesIn(answer.fields, "content-type"), ["application/problem+json"]);
  assert.deepEqual(valuesIn(answer.fields, "connection"), ["close"]);
  assert.equal((JSON.parse(answer.body) as { status: number }).status, answer.status);
}

function checkReached(got: readonly Message[], expected: readonly Reached[]): void {
  const linesOf = (list: readonly Message[]): string[] =>
    list.map(({ method, target }) => `${method} ${target}`);
  assert.deepEqual(
    linesOf(got).sort(),
    expected.map(({ line }) => line).sort(),
    "the backend saw other requests",
  );
  for (const wanted of expected) {
    const message = got.find(({ method, target }) => `${method} ${target}` === wanted.line) as Message;
    if (wanted.framing !== undefined) assert.equal(message.framing, wanted.framing);
    assert.equal(message.body, wanted.body ?? "");
    for (const [name, values] of Object.entries(wanted.fields ?? {})) {
      assert.deepEqual(valuesIn(message.fields, name), values, name);
    }
  }
}
