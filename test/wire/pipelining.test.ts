import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { lines } from "./cases.ts";
import { converse, RawClient } from "./client.ts";
import { valuesIn } from "./reading.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";

describe("several requests on one connection", () => {
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
  const request = (target: string, fields: readonly string[] = [], method = "GET"): string =>
    lines(`${method} ${target} HTTP/1.1`, ["Host: a.test", ...fields]);
  const echo = (delayMs: (target: string) => number): void =>
    recorder.answer(({ method, target }, socket) => {
      const body = `served ${target}`;
      const text = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${method === "HEAD" ? "" : body}`;
      setTimeout(() => socket.write(text), delayMs(target));
    });
  const lastTargets = (count: number): string[] =>
    recorder.requests.slice(-count).map(({ target }) => target);

  test("pipelined requests are answered in order, also where the backend is slow for the first", async () => {
    echo((target) => (target === "/1" ? 60 : 0));
    const { answers } = await converse(gateway.proxyUrl, [
      request("/1") + request("/2") + request("/3", ["Connection: close"]),
    ]);
    assert.deepEqual(
      answers.answers.map(({ body }) => body),
      ["served /1", "served /2", "served /3"],
    );
  });

  test("a pipelined request waits for the unsafe one before it", async () => {
    const events: string[] = [];
    recorder.answer(({ target }, socket) => {
      events.push(`came ${target}`);
      const answer = (): void => {
        events.push(`answered ${target}`);
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      };
      setTimeout(answer, target === "/write" ? 60 : 0);
    });
    await converse(gateway.proxyUrl, [
      lines("POST /write HTTP/1.1", ["Host: a.test", "Content-Length: 2"], "ab") +
        request("/read", ["Connection: close"]),
    ]);
    assert.deepEqual(events, ["came /write", "answered /write", "came /read", "answered /read"]);
  });

  test("hundreds of requests without waiting are answered in order", async () => {
    echo(() => 0);
    const many = Array.from({ length: 300 }, (_, i) => request(`/flood-${i}`));
    const { answers } = await converse(gateway.proxyUrl, [
      many.join("") + request("/last", ["Connection: close"]),
    ]);
    assert.deepEqual(
      answers.answers.map(({ body }) => body),
      [...many.map((_, i) => `served /flood-${i}`), "served /last"],
    );
  });

  test("fifty requests in one segment are fifty requests", async () => {
    echo(() => 0);
    const many = Array.from({ length: 50 }, (_, i) => request(`/many-${i}`));
    const before = recorder.requests.length;
    const { answers } = await converse(gateway.proxyUrl, [
      many.join("") + request("/last", ["Connection: close"]),
    ]);
    assert.deepEqual(
      answers.answers.map(({ body }) => body),
      [...many.map((_, i) => `served /many-${i}`), "served /last"],
    );
    assert.equal(recorder.requests.length - before, 51);
  });

  test("requests cut at every byte are the same requests", async () => {
    echo(() => 0);
    const raw =
      chunkedPost("/cut", "2;x\r\nab\r\n3\r\ncde\r\n0\r\nX: y\r\n\r\n") +
      request("/cut-2", ["Connection: close"]);
    const { answers } = await converse(gateway.proxyUrl, [...raw]);
    assert.deepEqual(
      answers.answers.map(({ body }) => body),
      ["served /cut", "served /cut-2"],
    );
    assert.equal(recorder.requests.at(-2)?.body, "abcde");
  });

  test("what follows Connection: close is not served", async () => {
    echo(() => 0);
    const before = recorder.requests.length;
    const { answers } = await converse(gateway.proxyUrl, [
      request("/end", ["Connection: close"]) + request("/beyond"),
    ]);
    assert.equal(answers.answers.length, 1);
    assert.deepEqual(lastTargets(recorder.requests.length - before), ["/end"]);
  });

  test("garbage after a whole request is refused, and never goes on", async () => {
    echo(() => 0);
    for (const garbage of [
      "\x00\x01\x02",
      "garbage\r\n\r\n",
      "GET /x\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\n",
      "0\r\n\r\n",
    ]) {
      const before = recorder.requests.length;
      const { answers } = await converse(gateway.proxyUrl, [
        lines("POST /whole HTTP/1.1", ["Host: a.test", "Content-Length: 2"], "ab") +
          garbage +
          request("/hidden"),
      ]);
      const statuses = answers.answers.map(({ status }) => status);
      assert.ok(
        ["200,400", "200", "400", "", "200,505"].includes(statuses.join()),
        `${JSON.stringify(garbage)}: ${statuses}`,
      );
      assert.ok(recorder.requests.length - before <= 1, JSON.stringify(garbage));
      assert.ok(!recorder.requests.some(({ target }) => target === "/hidden" || target === "/x"));
    }
  });

  test("after a malformed request nothing on its connection is served, however long it is spread out", async () => {
    echo(() => 0);
    const client = new RawClient(gateway.proxyUrl);
    await client.send(request("/first"));
    await client.until({ untilAnswers: 1 });
    await client.send(
      "GET /bad HTTP/1.1\r\nHost: a.test\r\nX y: z\r\n\r\n",
      request("/late"),
      request("/later"),
    );
    const { answers } = await client.until();
    client.destroy();
    assert.deepEqual(
      answers.answers.map(({ status }) => status),
      [200, 400],
    );
    assert.ok(!recorder.requests.some(({ target }) => target === "/late" || target === "/later"));
  });

  test("a refusal waits for the answers before it, whatever is refused", async () => {
    echo((target) => (target === "/slow" ? 60 : 0));
    for (const [raw, status] of [
      ["CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", 405],
      ["GET /e HTTP/1.1\r\nHost: a.test\r\nExpect: magic\r\n\r\n\x00", 417],
      ["GET /h HTTP/1.1\r\nHost: a b\r\n\r\n\x00", 400],
      ["\x00", 400],
    ] as const) {
      const { answers, bytes } = await converse(gateway.proxyUrl, [request("/slow") + raw]);
      assert.deepEqual(
        answers.answers.map((each) => each.status),
        [200, status],
        raw,
      );
      assert.equal(answers.answers[0]?.body, "served /slow");
      assert.equal(answers.endAt, bytes.length);
    }
  });

  test("a request refused for its target ends the connection: its body is no request", async () => {
    echo(() => 0);
    for (const first of ["POST * HTTP/1.1", "POST /a#b HTTP/1.1", "CONNECT a.test:1 HTTP/1.1"]) {
      const { answers } = await converse(gateway.proxyUrl, [
        lines(first, ["Host: a.test", `Content-Length: ${SMUGGLED.length}`], SMUGGLED),
      ]);
      assert.equal(answers.answers.length, 1, first);
      assert.ok(!recorder.requests.some(({ target }) => target === "/smuggled"), first);
    }
  });

  test("a body answered early does not turn into requests", async () => {
    echo(() => 0);
    const client = new RawClient(gateway.proxyUrl);
    await client.send(
      lines("POST /early HTTP/1.1", ["Host: a.test", "Expect: magic", `Content-Length: ${SMUGGLED.length}`]),
    );
    await client.until({ untilAnswers: 1 });
    await client.send(SMUGGLED);
    await client.until({ quietMs: 200 });
    client.destroy();
    assert.ok(!recorder.requests.some(({ target }) => target === "/smuggled"));
  });

  test("a client that waits for 100 Continue gets it once, before the answer", async () => {
    echo(() => 0);
    const client = new RawClient(gateway.proxyUrl);
    await client.send(
      lines("POST /expect HTTP/1.1", [
        "Host: a.test",
        "Expect: 100-continue",
        "Content-Length: 2",
        "Connection: close",
      ]),
    );
    const begun = Date.now();
    while (!client.bytes.includes("\r\n\r\n") && Date.now() - begun < 15_000)
      await new Promise((next) => setImmediate(next));
    assert.equal(client.bytes, "HTTP/1.1 100 Continue\r\n\r\n");
    await client.send("ab");
    const { answers } = await client.until();
    assert.deepEqual(
      answers.interim.map(({ status }) => status),
      [100],
    );
    assert.deepEqual(
      answers.answers.map(({ body }) => body),
      ["served /expect"],
    );
    assert.deepEqual(valuesIn(recorder.requests.at(-1)?.fields ?? [], "expect"), []);
  });

  test("a body that ends short is never a whole request at the backend", async () => {
    echo(() => 0);
    const before = recorder.requests.length;
    for (const raw of [
      lines("POST /short HTTP/1.1", ["Host: a.test", "Content-Length: 10"], "abc"),
      chunkedPost("/short", "5\r\nab"),
      chunkedPost("/short", "2\r\nab\r\n"),
      chunkedPost("/short", "2\r\nab\r\n0\r\n"),
      chunkedPost("/short", "2\r\nab\r\n0\r\nX: y\r\n"),
    ]) {
      const client = new RawClient(gateway.proxyUrl);
      await client.send(raw);
      client.socket.end();
      await client.until();
      client.destroy();
    }
    await converse(gateway.proxyUrl, [request("/then", ["Connection: close"])]);
    assert.deepEqual(lastTargets(recorder.requests.length - before), ["/then"]);
    assert.deepEqual(recorder.violations, []);
  });

  test("and through all of it nothing is held against a side", async () => {
    assert.deepEqual(recorder.violations, []);
    assert.deepEqual((await gateway.route("r")).errors, { old: 0, new: 0 });
    assert.equal(gateway.stderr, "");
  });

  function chunkedPost(target: string, body: string): string {
    return lines(`POST ${target} HTTP/1.1`, ["Host: a.test", "Transfer-Encoding: chunked"], body);
  }
});
