import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { ACCEPT, opened } from "./upgrade-peers.ts";

const fixture = (name: string): URL => new URL(`../fixtures/tls/${name}`, import.meta.url);

test("a tunnel to a backend over TLS carries bytes and ends both ways", async () => {
  const server = createServer({
    key: readFileSync(fixture("server.key")),
    cert: readFileSync(fixture("server.pem")),
  });
  server.on("upgrade", (_req, socket) => {
    socket.write(ACCEPT);
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tls = `tls: { ca: "${fixture("ca.pem").pathname}", serverName: app.internal }`;
    const rules = rulesFor(url, url, "canary: 0%").replaceAll(`url: "${url}"`, `url: "${url}", ${tls}`);
    await using gateway = await TestGateway.start({ rules });
    await using client = await opened(gateway.proxyUrl, "/x");
    assert.match(client.text, /^HTTP\/1\.1 101 /);
    client.send("x".repeat(200_000));
    client.socket.end("the end");
    await client.has("the end");
    await client.hasEnded();
    assert.equal(client.errorCode, null);
  } finally {
    server.close();
  }
});
