import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { get, split, startRawBackend, talk, valuesOf } from "../support/raw.ts";
import { until } from "../support/until.ts";

/** A connection whose bytes can be looked at while it stands. */
class Line implements Disposable {
  readonly socket: Socket;
  text = "";
  closed = false;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port) });
    this.socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
    });
    this.socket.on("error", () => {}); // refused requests may be cut
    this.socket.on("close", () => {
      this.closed = true;
    });
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, "latin1"));
  }

  ended(): Promise<boolean> {
    return until("the gateway closes the connection", () => this.closed);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const statusOf = (answer: string): string => answer.slice(9, 12);

const SIZES = `limits:
  requestHead: 4KiB
  body: 1000B
`;

/** Those that are waited for, in a test that keeps none of them busy: a slow machine would not. */
const TIMES = `limits:
  headTimeout: 1s
  bodyStallTimeout: 300ms
  idleTimeout: 1s
`;

/** Its connection goes on. */
const KEPT = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const errorsOf = async (gateway: TestGateway) => (await gateway.route("r")).errors;

test("a head, its target and its number of fields have limits", async () => {
  await using old = await startRawBackend();
  await using gateway = await TestGateway.start({ rules: SIZES + rulesFor(old.url, old.url, "") });
  const ask = async (target: string, lines: string[]) =>
    statusOf(await talk(gateway.proxyUrl, get(target, lines)));
  assert.equal(await ask("/", [`X-Long: ${"x".repeat(3000)}`]), "200");
  assert.equal(await ask("/", [`X-Long: ${"x".repeat(6000)}`]), "431");
  assert.equal(
    await ask(
      "/",
      Array.from({ length: 100 }, (_, i) => `x-${i}: 1`),
    ),
    "200",
  );
  assert.equal(
    await ask(
      "/",
      Array.from({ length: 130 }, (_, i) => `x-${i}: 1`),
    ),
    "431",
  );
  assert.equal(await ask(`/${"a".repeat(6000)}`, []), "414");
  assert.equal(old.heads.length, 2);
});

test("a new limit for heads holds for connections after the reload", async () => {
  await using old = await startRawBackend();
  const rules = rulesFor(old.url, old.url, "");
  await using gateway = await TestGateway.start({ rules });
  const long = get("/", [`X-Long: ${"x".repeat(6000)}`]);
  assert.equal(statusOf(await talk(gateway.proxyUrl, long)), "200");
  await gateway.reloadWith(SIZES + rules);
  assert.equal(statusOf(await talk(gateway.proxyUrl, long)), "431");
});

test("a head that does not come is 408, an idle connection is closed without a word", async () => {
  await using old = await startRawBackend();
  await using gateway = await TestGateway.start({ rules: TIMES + rulesFor(old.url, old.url, "") });
  using idle = new Line(gateway.proxyUrl);
  idle.send(KEPT);
  using slow = new Line(gateway.proxyUrl);
  slow.send("GET / HTTP/1.1\r\nHost: a\r\nX-");
  using silent = new Line(gateway.proxyUrl);
  await Promise.all([slow.ended(), silent.ended(), idle.ended()]);
  assert.equal(statusOf(slow.text), "408");
  assert.equal(valuesOf(split(slow.text).head, "proxy-status").length, 1);
  assert.equal(statusOf(idle.text), "200");
  assert.equal(idle.text.split("HTTP/1.1").length, 2);
  assert.equal(old.heads.length, 1);
});

test("idle is a connection without a request: neither one being served nor one whose head has begun", async () => {
  let answer = (): void => {};
  await using old = await startBackend((req, res) => {
    if (req.url === "/slow") answer = () => res.end("done");
    else res.end();
  });
  const rules = `limits: { headTimeout: 4s, idleTimeout: 2500ms }\n${rulesFor(old.url, old.url, "")}`;
  await using gateway = await TestGateway.start({ rules, flags: ["--threads", "1"] });
  using idle = new Line(gateway.proxyUrl);
  idle.send(KEPT);
  using busy = new Line(gateway.proxyUrl);
  busy.send(KEPT);
  using half = new Line(gateway.proxyUrl);
  half.send(KEPT);
  await until("all are answered", () => [idle, busy, half].every(({ text }) => text.endsWith("\r\n\r\n")));
  assert.deepEqual(valuesOf(split(idle.text).head, "connection"), ["keep-alive"]);
  assert.deepEqual(valuesOf(split(idle.text).head, "keep-alive"), ["timeout=2"]);
  busy.send(KEPT.replace("/", "/slow"));
  half.send("GET / HTTP/1.1\r\nX-");
  await idle.ended();
  await half.ended();
  assert.equal(statusOf(half.text.slice(half.text.lastIndexOf("HTTP/1.1"))), "408");
  assert.equal(busy.closed, false);
  answer();
  await until("the slow one is answered", () => busy.text.includes("done"));
  await busy.ended();
  assert.equal(idle.text.split("HTTP/1.1").length, 2);
});

test("a new limit for idle connections holds for their next answer after the reload", async () => {
  await using old = await startRawBackend();
  const rules = rulesFor(old.url, old.url, "");
  await using gateway = await TestGateway.start({ rules });
  using line = new Line(gateway.proxyUrl);
  line.send(KEPT);
  await until("it is answered", () => line.text.endsWith("\r\n\r\n"));
  assert.deepEqual(valuesOf(split(line.text).head, "keep-alive"), ["timeout=60"]);
  await gateway.reloadWith(TIMES + rules);
  line.text = "";
  line.send(KEPT);
  await line.ended();
  assert.deepEqual(valuesOf(split(line.text).head, "keep-alive"), ["timeout=1"]);
});

test("a body that is too large by its own word goes nowhere, and is not asked for", async () => {
  await using old = await startRawBackend();
  await using gateway = await TestGateway.start({ rules: SIZES + rulesFor(old.url, old.url, "") });
  const post = (bytes: number, more = "") =>
    `POST / HTTP/1.1\r\nHost: a\r\n${more}Content-Length: ${bytes}\r\n\r\n`;
  using line = new Line(gateway.proxyUrl);
  line.send(post(1001, "Expect: 100-continue\r\n"));
  await line.ended();
  assert.equal(statusOf(line.text), "413");
  assert.deepEqual(valuesOf(split(line.text).head, "connection"), ["close"]);
  // One that is on its way all the same does not lose the answer to a reset.
  const answer = await talk(gateway.proxyUrl, post(500_000) + "x".repeat(500_000));
  assert.equal(statusOf(answer), "413");
  assert.equal(old.heads.length, 0);
  using whole = new Line(gateway.proxyUrl);
  whole.send(post(1000) + "x".repeat(1000));
  await until("the answer is there", () => whole.text !== "");
  assert.equal(statusOf(whole.text), "200");
  assert.deepEqual(await errorsOf(gateway), { old: 0, new: 0 });
});

test("a chunked body that grows too large is 413, and no fault of the backend", async () => {
  await using old = await startRawBackend(() => {}); // waits for the whole body
  await using fresh = await startRawBackend(() => {});
  const rules = SIZES + rulesFor(old.url, fresh.url, "canary: 100%\nguard: { killSwitch: 1 }");
  await using gateway = await TestGateway.start({ rules });
  using line = new Line(gateway.proxyUrl);
  line.send("POST /grows HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n");
  line.send(`${"x".repeat(500)}\r\n`);
  await until("the first part is with the backend", () => fresh.heads.length === 1);
  line.send(`1f5\r\n${"x".repeat(501)}\r\n`);
  await line.ended();
  assert.equal(statusOf(line.text), "413");
  const logged = await until("it is logged", () => gateway.lines.find(({ path }) => path === "/grows"));
  assert.equal(logged.failure, "http_request_error");
  const { errors, latched } = await gateway.route("r");
  assert.deepEqual({ errors, latched }, { errors: { old: 0, new: 0 }, latched: false });
});

test("a route may take larger or smaller bodies than the gateway", async () => {
  await using old = await startRawBackend();
  const rules = SIZES + rulesFor(old.url, old.url, "limits: { body: 2000B }");
  await using gateway = await TestGateway.start({ rules });
  const post = (bytes: number) =>
    talk(
      gateway.proxyUrl,
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`,
    );
  assert.equal(statusOf(await post(2000)), "200");
  assert.equal(statusOf(await post(2001)), "413");
});

test("a body that stalls is 408, and no fault of the backend", async () => {
  await using old = await startRawBackend(() => {});
  await using fresh = await startRawBackend(() => {});
  const rules = TIMES + rulesFor(old.url, fresh.url, "canary: 100%\nguard: { killSwitch: 1 }");
  await using gateway = await TestGateway.start({ rules });
  using line = new Line(gateway.proxyUrl);
  line.send("PUT /stalls HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  await line.ended();
  assert.equal(statusOf(line.text), "408");
  const logged = await until("it is logged", () => gateway.lines.find(({ path }) => path === "/stalls"));
  assert.equal(logged.failure, "http_request_error");
  const { errors, latched } = await gateway.route("r");
  assert.deepEqual({ errors, latched }, { errors: { old: 0, new: 0 }, latched: false });
});

test("a body that comes slowly but steadily is no stall, however long it takes", async () => {
  await using old = await startBackend(json({ from: "old" }));
  const rules = `limits: { bodyStallTimeout: 3s }\n${rulesFor(old.url, old.url, "")}`;
  await using gateway = await TestGateway.start({ rules });
  using line = new Line(gateway.proxyUrl);
  line.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n");
  for (let i = 0; i < 8; i++) {
    line.send("x");
    const sentMs = Date.now();
    await until("a while is over", () => Date.now() - sentMs > 400);
  }
  await until("the answer is there", () => line.text !== "");
  assert.equal(statusOf(line.text), "200");
});

test("requests beyond the limit at one time are 503 with Retry-After, and the next one is served", async () => {
  let answer = (): void => {};
  await using old = await startBackend((_req, res) => {
    answer = () => res.end("done");
  });
  const rules = `limits: { inFlight: 1 }\n${rulesFor(old.url, old.url, "")}`;
  await using gateway = await TestGateway.start({ rules, flags: ["--threads", "1"] });
  using first = new Line(gateway.proxyUrl);
  first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until("it is with the backend", () => old.seen.length === 1);
  const refused = split(await talk(gateway.proxyUrl, get("/"))).head;
  assert.equal(statusOf(refused), "503");
  assert.deepEqual(valuesOf(refused, "retry-after"), ["1"]);
  assert.equal(valuesOf(refused, "proxy-status").length, 1);
  answer();
  await until("the first has its answer", () => first.text.includes("done"));
  using second = new Line(gateway.proxyUrl);
  second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until("the next is served", () => old.seen.length === 2);
});

test("connections beyond the limit are closed", async () => {
  await using old = await startRawBackend();
  const rules = `limits: { connections: 2 }\n${rulesFor(old.url, old.url, "")}`;
  await using gateway = await TestGateway.start({ rules, flags: ["--threads", "1"] });
  const lines = Array.from({ length: 6 }, () => new Line(gateway.proxyUrl));
  await until("all but three are closed", () => lines.filter(({ closed }) => closed).length === 3);
  for (const line of lines) line[Symbol.dispose]();
  await until("others are taken again", async () => {
    try {
      return statusOf(await talk(gateway.proxyUrl, get("/"))) === "200";
    } catch {
      return false; // still full
    }
  });
});
