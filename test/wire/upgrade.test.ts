import assert from "node:assert/strict";
import { test } from "node:test";
import { keysFor } from "../support/ask.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { split, valuesOf } from "../support/raw.ts";
import { until } from "../support/until.ts";
import {
  ACCEPT,
  answering,
  echo,
  handshake,
  opened,
  startUpgradeBackend,
  UpgradeClient,
} from "./upgrade-peers.ts";

const ROUTES = {
  sticky: "key: [header:x-user]\ncanary: 50%",
  tenants: "key: [header:x-user]\nsplit: { new: [acme] }",
  plain: "canary: 0%",
  shadowed: "shadow: 100%",
  dead: "new: nowhere\ncanary: 100%\nguard: off",
  deadpost: "new: nowhere\ncanary: 100%\nguard: off\nfallback: off",
  off: "upgrade: off",
  tcp: "upgrade: { protocols: [tcp, websocket] }",
};

/** One that was bound and given back would be the next test's. */
const NOBODY = "http://127.0.0.1:1";

test("upgrades are routed, refused and relayed as other requests are", async (t) => {
  await using old = await startUpgradeBackend();
  await using fresh = await startUpgradeBackend();
  const rules = rulesWith(old.url, fresh.url, ROUTES).replace(
    "defaults:",
    `  nowhere: { url: "${NOBODY}" }\ndefaults:`,
  );
  await using gateway = await TestGateway.start({ rules, flags: ["--access-log", "all"] });
  const url = gateway.proxyUrl;
  const answers = async (text: string, path = "/plain/x", lines: readonly string[] = []): Promise<string> => {
    old.answer(answering(text));
    await using client = await opened(url, path, lines);
    await client.hasEnded();
    old.answer(echo);
    return client.text;
  };

  await t.test(
    "bytes go both ways, those too that come with the handshake or right behind the 101",
    async () => {
      old.answer((socket) => {
        socket.write(`${ACCEPT}hello`);
        socket.pipe(socket);
      });
      await using client = new UpgradeClient(url);
      client.send(`${handshake("/plain/x")}early \x00\xff`);
      await client.has("helloearly \x00\xff");
      client.send("more");
      await client.has("helloearly \x00\xffmore");
      old.answer(echo);
    },
  );

  await t.test(
    "the backend is asked for the one protocol, with the gateway's fields and the client's own",
    async () => {
      old.heads.length = 0;
      await using client = await opened(url, "/plain/x?a=%2F", [
        "Sec-WebSocket-Protocol: chat, v2",
        "X-Own: é",
      ]);
      const head = old.heads[0] ?? "";
      assert.match(head, /^GET \/plain\/x\?a=%2F HTTP\/1\.1\r\n/);
      assert.deepEqual(valuesOf(head, "upgrade"), ["websocket"]);
      assert.deepEqual(
        valuesOf(head, "connection").map((value) => value.toLowerCase()),
        ["upgrade"],
      );
      assert.deepEqual(valuesOf(head, "host"), ["shop.example"]);
      assert.deepEqual(valuesOf(head, "sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="]);
      assert.deepEqual(valuesOf(head, "sec-websocket-protocol"), ["chat, v2"]);
      assert.deepEqual(valuesOf(head, "x-cutover-side"), ["old"]);
      const answer = await client.head();
      assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
      assert.deepEqual(valuesOf(answer, "upgrade"), ["websocket"]);
      assert.deepEqual(valuesOf(answer, "connection"), ["Upgrade"]);
      assert.deepEqual(valuesOf(answer, "sec-websocket-accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
      assert.deepEqual(valuesOf(answer, "x-cutover-reason"), ["default-old"]);
      assert.deepEqual(valuesOf(answer, "x-request-id"), valuesOf(head, "x-request-id"));
    },
  );

  await t.test("a sticky canary and a split decide for upgrades as for every request", async () => {
    const keys = keysFor(50, { old: 4, new: 4 }, "sticky");
    const sideOf = async (path: string, key: string): Promise<string | undefined> => {
      await using client = await opened(url, path, [`X-User: ${key}`]);
      return valuesOf(await client.head(), "x-cutover-side")[0];
    };
    for (const side of ["old", "new"] as const)
      for (const key of keys[side]) assert.equal(await sideOf("/sticky/x", key), side);
    assert.equal(await sideOf("/tenants/x", "acme"), "new");
    assert.equal(await sideOf("/tenants/x", "globex"), "old");
  });

  await t.test("an upgrade is never shadowed", async () => {
    const before = fresh.sockets.length;
    await using client = await opened(url, "/shadowed/x");
    assert.match(client.text, /^HTTP\/1\.1 101 /);
    client.send("ping");
    await client.has("ping");
    assert.equal(fresh.sockets.length, before);
    assert.equal(await gateway.metric("cutover_shadow_total", { route: "shadowed" }), 0);
  });

  await t.test("a refusal with a length is relayed whole: status, phrase, fields, body", async () => {
    const text = await answers(
      "HTTP/1.1 403 Not You\r\nX-Why: because\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 4\r\n\r\nno!\n",
    );
    const { head, body } = split(text);
    assert.match(head, /^HTTP\/1\.1 403 Not You\r\n/);
    assert.deepEqual(valuesOf(head, "set-cookie"), ["a=1", "b=2"]);
    assert.deepEqual(valuesOf(head, "content-length"), ["4"]);
    assert.deepEqual(valuesOf(head, "connection"), ["close"]);
    assert.deepEqual(valuesOf(head, "upgrade"), []);
    assert.equal(body, "no!\n");
  });

  await t.test("a chunked refusal is chunked for the client as well", async () => {
    const text = await answers(
      "HTTP/1.1 426 Upgrade Required\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n!!!\r\n0\r\n\r\n",
    );
    const { head, body } = split(text);
    assert.match(head, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
    assert.deepEqual(valuesOf(head, "transfer-encoding"), ["chunked"]);
    assert.equal(body.replaceAll(/[0-9a-f]+\r\n|\r\n/g, ""), "hello!!!");
    assert.match(body, /0\r\n\r\n$/);
  });

  await t.test("a large refusal arrives whole at a client that reads in its own time", async () => {
    const size = 3_000_000;
    const text = await answers(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`);
    assert.equal(split(text).body.length, size);
  });

  await t.test("a redirect without a body is an answer too", async () => {
    const text = await answers("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n");
    assert.match(text, /^HTTP\/1\.1 302 Found\r\n/);
    assert.deepEqual(valuesOf(split(text).head, "location"), ["/login"]);
  });

  await t.test("what a client sends behind a refused upgrade is never a request", async () => {
    old.heads.length = 0;
    old.answer(answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    await using client = new UpgradeClient(url);
    client.send(`${handshake("/plain/x")}GET /plain/smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n`);
    await client.hasEnded();
    old.answer(echo);
    assert.equal(old.heads.length, 1);
    assert.equal(client.text.match(/HTTP\/1\.1 /g)?.length, 1);
  });

  await t.test("a 101 to another protocol than the one asked for is a 502", async () => {
    for (const fields of ["Upgrade: h2c\r\nConnection: Upgrade\r\n", ""]) {
      const text = await answers(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
      assert.match(text, /^HTTP\/1\.1 502 /);
      assert.match(text, /proxy-status: cutover; error=http_protocol_error/);
    }
  });

  await t.test("a 101 that nobody asked for is a 502, and opens no tunnel", async () => {
    for (const lines of [ACCEPT, "HTTP/1.1 101 Switching Protocols\r\n\r\n"]) {
      old.answer(answering(lines));
      await using client = new UpgradeClient(url);
      client.send("GET /plain/x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
      await client.hasEnded();
      assert.match(client.text, /^HTTP\/1\.1 502 /);
      assert.match(client.text, /error=http_protocol_error/);
    }
    old.answer(echo);
  });

  await t.test("h2c and protocols that are not allowed are served as if nothing had been asked", async () => {
    old.answer(answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    for (const upgrade of ["h2c", "H2C", "HTTP/2.0", "TLS/1.2", "foo", "h2c, foo"]) {
      old.heads.length = 0;
      await using client = new UpgradeClient(url);
      const settings = ["Connection: HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"];
      client.send(handshake("/plain/x", settings, upgrade));
      await client.has("\r\n\r\nok");
      const head = old.heads[0] ?? "";
      for (const name of ["upgrade", "http2-settings"]) assert.deepEqual(valuesOf(head, name), [], upgrade);
      assert.doesNotMatch(valuesOf(head, "connection").join(), /upgrade|http2/i);
      assert.match(client.text, /^HTTP\/1\.1 200 OK/);
    }
    old.answer(echo);
  });

  await t.test("of several protocols the first that is allowed is asked for, alone", async () => {
    old.heads.length = 0;
    await using client = await opened(url, "/plain/x", [], "h2c, WebSocket, tcp");
    assert.match(client.text, /^HTTP\/1\.1 101 /);
    assert.deepEqual(valuesOf(old.heads[0] ?? "", "upgrade"), ["WebSocket"]);
  });

  await t.test("a route may switch upgrades off, or allow other protocols", async () => {
    old.answer(answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    await using refused = await opened(url, "/off/x");
    assert.match(refused.text, /^HTTP\/1\.1 200 OK/);
    old.answer((socket) => {
      socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
      socket.pipe(socket);
    });
    await using client = new UpgradeClient(url);
    client.send(handshake("/tcp/x", ["Content-Length: 0"], "tcp").replace("GET", "POST"));
    await client.head();
    client.send("raw");
    await client.has("\r\n\r\nraw");
    old.answer(echo);
  });

  await t.test("a request with a body, or of HTTP/1.0, is not upgraded", async () => {
    old.answer(answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    const asked = handshake("/plain/x");
    for (const text of [
      `${handshake("/plain/x", ["Content-Length: 3"])}abc`,
      `${handshake("/plain/x", ["Transfer-Encoding: chunked"])}3\r\nabc\r\n0\r\n\r\n`,
      asked.replace("HTTP/1.1", "HTTP/1.0"),
      asked.replace("GET", "POST"),
    ]) {
      old.heads.length = 0;
      await using client = new UpgradeClient(url);
      client.send(text);
      await client.has("\r\n\r\nok");
      assert.deepEqual(valuesOf(old.heads[0] ?? "", "upgrade"), [], text);
    }
    old.answer(echo);
  });

  await t.test("behind another request on its connection the answers stay in order", async () => {
    old.answer(answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    await using client = new UpgradeClient(url);
    client.send(`GET /plain/1 HTTP/1.1\r\nHost: shop.example\r\n\r\n${handshake("/plain/2")}`);
    await until("both are answered", () => client.text.match(/\r\n\r\nok/g)?.length === 2);
    assert.doesNotMatch(client.text, /101/);
    old.answer(echo);
  });

  await t.test("on a connection that was used before, an upgrade is an upgrade", async () => {
    old.answer(answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    await using client = new UpgradeClient(url);
    client.send("GET /plain/1 HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    await client.has("\r\n\r\nok");
    old.answer(echo);
    client.send(handshake("/plain/2"));
    await client.has("101 Switching Protocols");
    client.send("ping");
    await client.has("ping");
  });

  await t.test(
    "a dead backend is a 502 where there is no fallback, and old takes over where there is",
    async () => {
      await using refused = await opened(url, "/deadpost/x");
      await refused.hasEnded();
      assert.match(refused.text, /^HTTP\/1\.1 502 /);
      assert.match(refused.text, /error=connection_refused/);
      await using client = await opened(url, "/dead/x");
      assert.match(client.text, /^HTTP\/1\.1 101 /);
      assert.deepEqual(valuesOf(await client.head(), "x-cutover-reason"), ["fallback"]);
      client.send("ping");
      await client.has("ping");
    },
  );

  await t.test("a backend that closes without an answer is a 502", async () => {
    old.answer((socket) => socket.destroy());
    await using client = await opened(url, "/plain/x");
    await client.hasEnded();
    old.answer(echo);
    assert.match(client.text, /^HTTP\/1\.1 502 /);
  });

  await t.test("a malformed request for an upgrade is refused like any other", async () => {
    old.heads.length = 0;
    for (const line of ["Host: other.example", "Authorization: a\r\nAuthorization: b"]) {
      await using client = await opened(url, "/plain/x", [line]);
      assert.match(client.text, /^HTTP\/1\.1 400 /);
    }
    assert.equal(old.heads.length, 0);
  });
});
