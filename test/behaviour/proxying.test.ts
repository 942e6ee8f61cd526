import assert from "node:assert/strict";
import { test } from "node:test";
import { TestGateway } from "../support/gateway.ts";
import { get, type RawBackend, split, startRawBackend, talk, valuesOf } from "../support/raw.ts";
import { until } from "../support/until.ts";

/** One backend under three host policies; /shadowed also goes to new. */
const rulesWith = (old: RawBackend, fresh: RawBackend): string => `
version: 1
backends:
  legacy: { url: "${old.url}" }
  legacy-own: { url: "${old.url}", host: backend }
  legacy-named: { url: "${old.url}", host: app.internal }
  modern: { url: "${fresh.url}" }
defaults: { old: legacy, new: modern }
routes:
  - { name: own, match: { path: /own }, old: legacy-own }
  - { name: named, match: { path: /named }, old: legacy-named }
  - { name: shadowed, match: { path: /shadowed }, shadow: 100% }
  - { name: r, match: { path: "/**" } }
`;

test("a request reaches the backend as the client sent it", async (t) => {
  await using old = await startRawBackend();
  await using fresh = await startRawBackend();
  await using gateway = await TestGateway.start({ rules: rulesWith(old, fresh) });
  /** The head that the backend got for this request. */
  const received = async (request: string): Promise<string> => {
    const before = old.heads.length;
    const answer = await talk(gateway.proxyUrl, request);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.equal(old.heads.length, before + 1);
    return old.heads[before] as string;
  };

  await t.test("the target is passed on byte for byte", async () => {
    const targets = [
      "/a%2Fb%2f/c%20d",
      "//double//slashes//",
      "/a/../b/./c/..",
      "/;p=1;q/r;s?x=1",
      "/q?a=1&&b=%zz&=c&d=a+b?c=/../&e='\"|{}",
      "/?",
      `/${"long/".repeat(500)}`,
    ];
    for (const target of targets) {
      assert.equal((await received(get(target))).split("\r\n")[0], `GET ${target} HTTP/1.1`);
    }
  });

  await t.test("the method is passed on, also one that is rare", async () => {
    for (const method of ["OPTIONS", "DELETE", "PATCH", "PROPFIND", "REPORT", "QUERY"]) {
      assert.match(
        await received(get("/m", ["Content-Length: 0"], method)),
        new RegExp(`^${method} /m HTTP`),
      );
    }
  });

  await t.test("names, order, case, repeats and odd values of fields stay as they are", async () => {
    const lines = [
      "X-Zebra: 1",
      "x-Apple:   spaced  ",
      "X-ZEBRA: 2",
      "Cookie: a=1",
      'cookie: b=2; c="3"',
      "Empty:",
      "User-Agent: caf\xe9 \xff",
      "Accept: a, b;q=0.5,, c",
    ];
    const head = await received(get("/h", lines));
    const kept = head
      .split("\r\n")
      .filter((line) => /^(x-zebra|x-apple|cookie|empty|user-agent|accept):/i.test(line));
    const normal = (line: string) => line.replace(/:\s*(.*?)\s*$/, ": $1");
    assert.deepEqual(kept.map(normal), lines.map(normal));
  });

  await t.test("fields for one connection alone stay on it", async () => {
    const head = await received(
      [
        "GET /hop HTTP/1.1",
        "Host: shop.example",
        "Connection: close, X-Secret",
        "X-Secret: 1",
        "Keep-Alive: timeout=5",
        "TE: trailers, deflate;q=0.5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eA==",
        "Upgrade: magic",
        "X-Kept: yes",
        "",
        "",
      ].join("\r\n"),
    );
    for (const name of ["x-secret", "keep-alive", "proxy-connection", "proxy-authorization", "upgrade"]) {
      assert.deepEqual(valuesOf(head, name), [], name);
    }
    assert.deepEqual(valuesOf(head, "connection"), ["keep-alive"]);
    assert.deepEqual(valuesOf(head, "te"), ["trailers"], "the one word of it that a gateway may say again");
    assert.deepEqual(valuesOf(head, "x-kept"), ["yes"]);
  });

  await t.test("who the client is, is what the gateway saw, never what the client says", async () => {
    const head = await received(
      get("/f", [
        "X-Forwarded-For: 6.6.6.6",
        "X-FORWARDED-PROTO: https",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Port: 443",
        "X-Forwarded-Prefix: /evil",
        "Forwarded: for=6.6.6.6",
      ]),
    );
    assert.deepEqual(valuesOf(head, "x-forwarded-for"), ["127.0.0.1"]);
    assert.deepEqual(valuesOf(head, "x-forwarded-proto"), ["http"]);
    assert.deepEqual(valuesOf(head, "x-forwarded-host"), ["shop.example"]);
    for (const name of ["x-forwarded-port", "x-forwarded-prefix", "forwarded"]) {
      assert.deepEqual(valuesOf(head, name), [], name);
    }
  });

  await t.test("Via names the gateway after those before it", async () => {
    assert.deepEqual(valuesOf(await received(get("/v")), "via"), ["1.1 cutover"]);
    assert.deepEqual(valuesOf(await received(get("/v", ["Via: 1.0 edge"])), "via"), [
      "1.0 edge",
      "1.1 cutover",
    ]);
  });

  await t.test("what a client says in x-cutover-* fields is replaced by the truth", async () => {
    const head = await received(
      get("/c", [
        "X-Cutover-Side: new",
        "x-cutover-token: guess",
        "x-cutover-force: new",
        "X-CUTOVER-Shadow: 1",
      ]),
    );
    assert.deepEqual(valuesOf(head, "x-cutover-side"), ["old"]);
    assert.deepEqual(valuesOf(head, "x-cutover-route"), ["r"]);
    assert.match(valuesOf(head, "x-cutover-rules").join(), /^[0-9a-f]{12}$/);
    for (const name of ["x-cutover-token", "x-cutover-force", "x-cutover-shadow"]) {
      assert.deepEqual(valuesOf(head, name), [], name);
    }
  });

  await t.test("a request id is kept, and one that could harm a log is replaced", async () => {
    const kept = "req-01H.x:y/z+1=@";
    const answer = await talk(gateway.proxyUrl, get("/i", [`X-Request-ID: ${kept}`]));
    assert.deepEqual(valuesOf(old.heads.at(-1) as string, "x-request-id"), [kept]);
    assert.deepEqual(valuesOf(split(answer).head, "x-request-id"), [kept]);
    for (const hostile of ["two words", "<script>", `${"x".repeat(129)}`, "caf\xe9", ""]) {
      const [id, ...others] = valuesOf(
        await received(get("/i", [`X-Request-Id: ${hostile}`])),
        "x-request-id",
      );
      assert.match(id ?? "", /^[0-9a-f]{32}$/, hostile);
      assert.deepEqual(others, []);
    }
  });

  await t.test(
    "a trace goes on with a span of its own for each leg, and is begun where there is none",
    async () => {
      const sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
      const lines = [`traceparent: ${sent}`, "tracestate: vendor=1"];
      const head = await received(get("/shadowed", lines));
      await until("the shadow arrives", () => fresh.heads.length > 0);
      const spans = [head, fresh.heads[0] as string].map((leg) => {
        assert.deepEqual(valuesOf(leg, "tracestate"), ["vendor=1"]);
        const parts = /^00-0af7651916cd43dd8448eb211c80319c-([0-9a-f]{16})-00$/.exec(
          valuesOf(leg, "traceparent").join(),
        );
        return parts?.[1];
      });
      assert.equal(new Set([...spans, "b7ad6b7169203331", undefined]).size, 4);
      const zeros = `00-${"0".repeat(32)}-b7ad6b7169203331-01`;
      for (const broken of ["junk", zeros, sent.toUpperCase()]) {
        const [begun] = valuesOf(await received(get("/t", [`traceparent: ${broken}`])), "traceparent");
        assert.match(begun ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
        assert.notEqual(begun?.slice(3, 35), "0".repeat(32));
      }
    },
  );

  await t.test("the backend sees the client's host, its own, or a given name, as its rules say", async () => {
    assert.deepEqual(valuesOf(await received(get("/keep")), "host"), ["shop.example"]);
    assert.deepEqual(valuesOf(await received(get("/own")), "host"), [`127.0.0.1:${old.port}`]);
    assert.deepEqual(valuesOf(await received(get("/named")), "host"), ["app.internal"]);
    // HTTP/1.0 may leave Host out; a backend needs one.
    assert.deepEqual(valuesOf(await received("GET /keep HTTP/1.0\r\n\r\n"), "host"), [
      `127.0.0.1:${old.port}`,
    ]);
  });
});
