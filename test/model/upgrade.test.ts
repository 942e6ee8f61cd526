import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEFAULT_UPGRADE, isNeverUpgraded, isSwitchTo, protocolToAsk } from "../../src/model/upgrade.ts";

const ALL = { ...DEFAULT_UPGRADE, protocols: ["websocket", "tcp", "SPDY/3.1", "h2c", "TLS/1.0"] };

function ask(headers: readonly string[], method = "GET", version = "1.1", allowed = ALL): string | null {
  return protocolToAsk({ method, version, rawHeaders: headers }, allowed);
}

test("the first protocol that is allowed is asked for, as the client wrote it", () => {
  assert.equal(ask(["Upgrade", "WebSocket"]), "WebSocket");
  assert.equal(ask(["Upgrade", "foo,  tcp ,websocket"]), "tcp");
  assert.equal(ask(["Upgrade", "foo", "upgrade", "spdy/3.1"]), "spdy/3.1");
  assert.equal(ask(["Upgrade", "foo"]), null);
  assert.equal(ask([]), null);
});

test("another HTTP and TLS are never asked for, even where the rules were to name them", () => {
  for (const protocol of ["h2c", "H2C", "h2", "HTTP/2.0", "http", "TLS/1.0", "tls"]) {
    assert.equal(isNeverUpgraded(protocol), true, protocol);
    assert.equal(ask(["Upgrade", protocol]), null, protocol);
  }
  assert.equal(isNeverUpgraded("httpx"), false);
});

test("nothing is asked for with a body, over HTTP/1.0, where upgrades are off, or for a WebSocket by POST", () => {
  const asked = ["Upgrade", "websocket"];
  assert.equal(ask([...asked, "Content-Length", "0"]), "websocket");
  assert.equal(ask([...asked, "Content-Length", "1"]), null);
  assert.equal(ask([...asked, "Transfer-Encoding", "chunked"]), null);
  assert.equal(ask(asked, "GET", "1.0"), null);
  assert.equal(ask(asked, "POST"), null);
  assert.equal(ask(["Upgrade", "tcp"], "POST"), "tcp");
  assert.equal(protocolToAsk({ method: "GET", version: "1.1", rawHeaders: asked }, null), null);
});

test("a 101 is a switch to the one protocol that was asked for, or none", () => {
  assert.equal(isSwitchTo("websocket", ["Upgrade", "WebSocket"]), true);
  for (const headers of [
    [],
    ["Upgrade", "h2c"],
    ["Upgrade", "websocket, h2c"],
    ["Upgrade", "websocket", "Upgrade", "h2c"],
  ])
    assert.equal(isSwitchTo("websocket", headers), false);
});

test("whatever a client writes, only an allowed protocol comes out", () => {
  const token = fc.oneof(
    fc.constantFrom("websocket", "h2c", "tcp", "HTTP/2.0", "TLS/1.2", "", " "),
    fc.string({ maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 5 }), (tokens) => {
      const protocol = ask(["Upgrade", tokens.join(",")]);
      if (protocol !== null) assert.match(protocol, /^(websocket|tcp|spdy\/3\.1)$/i);
    }),
  );
});
