import assert from "node:assert/strict";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { bytes, get, split, startRawBackend, talk, valuesOf } from "../support/raw.ts";
import { until } from "../support/until.ts";

const answer = (lines: readonly string[], body = ""): string => [...lines, "", body].join("\r\n");

test("an answer reaches the client as the backend gave it", async (t) => {
  await using old = await startRawBackend();
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, old.url, "") });
  const relayed = async (text: string, request = get("/")): Promise<{ head: string; body: string }> => {
    old.answer(bytes(text));
    return split(await talk(gateway.proxyUrl, request));
  };

  await t.test("status, reason, and names, order, case and repeats of fields stay as they are", async () => {
    const lines = [
      "Set-Cookie: a=1; Path=/",
      "X-Zebra: 1",
      "x-apple: caf\xe9 \xff",
      "SET-COOKIE: b=2",
      "Date: Thu, 01 Jan 1970 00:00:00 GMT",
      "Server: legacy/1",
      "Content-Length: 2",
    ];
    const { head, body } = await relayed(answer(["HTTP/1.1 299 Fine With Me", ...lines], "\xe9\x00"));
    assert.equal(head.split("\r\n")[0], "HTTP/1.1 299 Fine With Me");
    assert.deepEqual(head.split("\r\n").slice(1, lines.length + 1), lines);
    assert.deepEqual(valuesOf(head, "date"), ["Thu, 01 Jan 1970 00:00:00 GMT"]);
    assert.equal(body, "\xe9\x00");
  });

  await t.test("a reason phrase that cannot be passed on costs only itself", async () => {
    const { head, body } = await relayed(answer(["HTTP/1.1 200 caf\xe9", "Content-Length: 2"], "ok"));
    assert.match(head, /^HTTP\/1\.1 200 /);
    assert.equal(body, "ok");
  });

  await t.test(
    "fields of the backend's connection and forged fields of the gateway are left out",
    async () => {
      const { head } = await relayed(
        answer([
          "HTTP/1.1 200 OK",
          "Connection: keep-alive, X-Hop",
          "X-Hop: 1",
          "Keep-Alive: timeout=600",
          "Proxy-Authenticate: Basic",
          "x-cutover-side: new",
          "X-Cutover-Debug: 1",
          "x-request-id: forged",
          "Content-Length: 0",
        ]),
        get("/", ["x-request-id: mine"]),
      );
      for (const name of ["x-hop", "proxy-authenticate", "x-cutover-debug"]) {
        assert.deepEqual(valuesOf(head, name), [], name);
      }
      assert.deepEqual(valuesOf(head, "x-request-id"), ["mine"]);
      assert.deepEqual(valuesOf(head, "x-cutover-side"), ["old"]);
      assert.deepEqual(valuesOf(head, "x-cutover-reason"), ["default-old"]);
      assert.deepEqual(valuesOf(head, "x-cutover-route"), ["r"]);
      assert.match(valuesOf(head, "x-cutover-rules").join(), /^[0-9a-f]{12}$/);
    },
  );

  await t.test("an answer to HEAD keeps its length and has no body", async () => {
    const { head, body } = await relayed(
      answer(["HTTP/1.1 200 OK", "Content-Length: 1234"]),
      get("/", [], "HEAD"),
    );
    assert.deepEqual(valuesOf(head, "content-length"), ["1234"]);
    assert.equal(body, "");
  });

  await t.test("204 and 304 have no body, whatever length they speak of", async () => {
    assert.match((await relayed(answer(["HTTP/1.1 204 No Content"]))).head, /^HTTP\/1\.1 204 No Content/);
    assert.match(
      (await relayed(answer(["HTTP/1.1 204 No Content", "Content-Length: 5"]))).head,
      /^HTTP\/1\.1 204 No Content/,
    );
    const { head, body } = await relayed(
      answer(["HTTP/1.1 304 Not Modified", 'ETag: "x"', "Content-Length: 1234"]),
    );
    assert.match(head, /^HTTP\/1\.1 304 Not Modified/);
    assert.deepEqual(valuesOf(head, "etag"), ['"x"']);
    assert.equal(body, "");
    const { errors } = await gateway.route("r");
    assert.equal(errors.old, 0);
  });

  await t.test("early hints before an answer go on to the client and do it no harm", async () => {
    const hints = answer(["HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload"]);
    const final = answer(["HTTP/1.1 200 OK", "Content-Length: 2"], "ok");
    const { head, body } = await relayed(`${hints}${hints}${final}`);
    assert.match(head, /^HTTP\/1\.1 103 Early Hints/);
    assert.ok(body.startsWith(`${hints}HTTP/1.1 200 OK\r\n`) && body.endsWith("\r\n\r\nok"));
  });

  await t.test("an answer without a length reaches its end", async () => {
    old.answer((_head, socket) => {
      socket.end("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    });
    const { head, body } = split(await talk(gateway.proxyUrl, get("/")));
    assert.deepEqual(valuesOf(head, "transfer-encoding"), ["chunked"]);
    assert.equal(body, "d\r\nuntil the end\r\n0\r\n\r\n");
  });

  await t.test("a client that speaks HTTP/1.0 is not answered in chunks", async () => {
    const { head, body } = await relayed(
      answer(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], "2\r\nok\r\n0\r\n\r\n"),
      "GET / HTTP/1.0\r\n\r\n",
    );
    assert.deepEqual(valuesOf(head, "transfer-encoding"), []);
    assert.equal(body, "ok");
  });

  await t.test("a connection serves one request after the other", async () => {
    old.answer(bytes(answer(["HTTP/1.1 200 OK", "Content-Length: 2"], "ok")));
    const text = await talk(
      gateway.proxyUrl,
      `${get("/1").replace("Connection: close\r\n", "")}${get("/2", [], "HEAD").replace("Connection: close\r\n", "")}${get("/3")}`,
    );
    assert.equal(text.split("HTTP/1.1 200 OK").length - 1, 3);
    assert.deepEqual(
      old.heads.slice(-3).map((head) => head.split(" ")[1]),
      ["/1", "/2", "/3"],
    );
  });
});

test("with --no-response-headers clients see of the gateway's fields x-request-id alone", async () => {
  await using old = await startBackend(json({ ok: true }));
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, old.url, ""),
    flags: ["--no-response-headers"],
  });
  const answer = await fetch(gateway.proxyUrl);
  await answer.text();
  const names = [...answer.headers.keys()].filter((name) => name.startsWith("x-"));
  assert.deepEqual(names, ["x-request-id"]);
});

test("a request that no route matches is answered 404, or by the backend for those", async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using rest = await startBackend(json({ from: "rest" }));
  const rules = (unmatched: string): string => `
version: 1
backends:
  legacy: { url: "${old.url}" }
  rest: { url: "${rest.url}" }
${unmatched}
routes:
  - { name: r, match: { path: /known }, old: legacy }
`;
  await using gateway = await TestGateway.start({ rules: rules("") });
  const refused = await fetch(`${gateway.proxyUrl}/unknown`);
  assert.equal(refused.status, 404);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  assert.equal(refused.headers.get("proxy-status"), "cutover; error=destination_not_found");
  assert.equal(refused.headers.get("x-cutover-reason"), "unmatched");
  assert.equal(((await refused.json()) as { status: number }).status, 404);
  const head = await fetch(`${gateway.proxyUrl}/unknown`, { method: "HEAD" });
  assert.equal(head.status, 404);
  assert.equal(await head.text(), "");

  await gateway.reloadWith(rules("unmatched: rest"));
  const served = await fetch(`${gateway.proxyUrl}/unknown`, { method: "POST", body: "x" });
  assert.deepEqual(await served.json(), { from: "rest" });
  assert.equal(served.headers.get("x-cutover-reason"), "unmatched");
  assert.equal(served.headers.get("x-cutover-route"), "unmatched");
  assert.equal(rest.seen[0]?.body, "x");
  const counted = { route: "unmatched", code: "2xx" };
  await until("it is counted", async () => (await gateway.metric("cutover_requests_total", counted)) === 1);
});
