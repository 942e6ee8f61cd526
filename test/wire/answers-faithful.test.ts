import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { bytes, get, split, startRawBackend, talk, valuesOf } from "../support/raw.ts";
import { until } from "../support/until.ts";

const answer = (lines: readonly string[], body = ""): string => [...lines, "", body].join("\r\n");
const keep = (target: string): string => get(target).replace("Connection: close\r\n", "");
const OK = "HTTP/1.1 200 OK";
const CHUNKED = "Transfer-Encoding: chunked";

test("what a backend answers is what its client gets", { timeout: 240_000 }, async (t) => {
  await using old = await startRawBackend();
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, old.url, ""),
    flags: ["--threads", "1"],
  });
  const relayed = async (text: string, request = get("/")): Promise<{ head: string; body: string }> => {
    old.answer(bytes(text));
    return split(await talk(gateway.proxyUrl, request));
  };

  await t.test("fields keep their names' case, their order and their repeats", async () => {
    const lines = [
      "Set-Cookie: a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "VIA: 1.1 inner",
      "set-cookie: b=2",
      "Warning: 199 - one",
      "via: 1.0 outer",
      "warning: 299 - two",
      "X-Latin: \xe9\xff\xa0",
      "X-Empty: ",
      "Content-Encoding: gzip",
      "Content-Length: 3",
    ];
    const { head, body } = await relayed(answer([OK, ...lines], "\x1f\x8b\x00"));
    assert.deepEqual(head.split("\r\n").slice(1, lines.length + 1), lines);
    assert.equal(body, "\x1f\x8b\x00");
  });

  await t.test("a reason keeps its bytes, and may be empty", async () => {
    for (const reason of ["Fine With Me", "caf\xe9", "caf\xc3\xa9", "\xff\xfe", ""]) {
      const { head } = await relayed(answer([`HTTP/1.1 200 ${reason}`, "Content-Length: 2"], "ok"));
      assert.equal(head.split("\r\n")[0], `HTTP/1.1 200 ${reason}`);
    }
  });

  await t.test("a status line in several packets loses nothing", async () => {
    old.answer(async (_head, socket) => {
      socket.setNoDelay(true);
      for (const part of ["HT", "TP/1.1 2", "99 Fi", "ne\r", "\nContent-Length: 2\r\n\r\nok"]) {
        socket.write(part);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const { head, body } = split(await talk(gateway.proxyUrl, get("/")));
    assert.equal(head.split("\r\n")[0], "HTTP/1.1 299 Fine");
    assert.equal(body, "ok");
  });

  await t.test("trailers follow a body in chunks, announced or not", async () => {
    const body = "2\r\nok\r\n0\r\nX-Sum: 1\r\nx-sum: \xe9\r\nExpires: 0\r\n\r\n";
    const got = await relayed(answer([OK, "Trailer: X-Sum", CHUNKED], body));
    assert.deepEqual(valuesOf(got.head, "trailer"), ["X-Sum"]);
    assert.equal(got.body, "2\r\nok\r\n0\r\nX-Sum: 1\r\nx-sum: \xe9\r\n\r\n");
    assert.equal((await relayed(answer([OK, CHUNKED], body))).body, got.body);
  });

  await t.test(
    "trailers that would change the message, or that are the gateway's, are left out",
    async () => {
      const fields = [
        "Host: evil",
        "Set-Cookie: a=1",
        "Authorization: x",
        "Connection: close",
        "Trailer: x",
        "x-cutover-side: new",
        "X-Kept: 1",
      ];
      const { body } = await relayed(answer([OK, CHUNKED], `2\r\nok\r\n0\r\n${fields.join("\r\n")}\r\n\r\n`));
      assert.equal(body, "2\r\nok\r\n0\r\nX-Kept: 1\r\n\r\n");
    },
  );

  await t.test("where no trailers can follow, none are announced, and the answer is whole", async () => {
    const trailered = answer([OK, "Trailer: X-Sum", CHUNKED], "2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n");
    const asked = await relayed(trailered, "GET / HTTP/1.0\r\n\r\n");
    assert.equal(asked.body, "ok");
    const measured = await relayed(answer([OK, "Trailer: X-Sum", "Content-Length: 2"], "ok"));
    assert.equal(measured.body, "ok");
    const head = await relayed(answer([OK, "Trailer: X-Sum", CHUNKED]), get("/", [], "HEAD"));
    for (const { head: seen } of [asked, measured, head]) {
      assert.match(seen, /^HTTP\/1\.1 200 /);
      assert.deepEqual(valuesOf(seen, "trailer"), []);
    }
  });

  await t.test(
    "chunks stay without a length, a length stays a length, an empty body stays empty",
    async () => {
      const inChunks = await relayed(answer([OK, CHUNKED], "2;ext=1\r\nok\r\n0\r\n\r\n"));
      assert.deepEqual(valuesOf(inChunks.head, "content-length"), []);
      assert.deepEqual(valuesOf(inChunks.head, "transfer-encoding"), ["chunked"]);
      const empty = await relayed(answer([OK, CHUNKED], "0\r\n\r\n"));
      assert.deepEqual(valuesOf(empty.head, "content-length"), []);
      assert.equal(empty.body, "0\r\n\r\n");
      const measured = await relayed(answer([OK, "Content-Length: 0"]));
      assert.deepEqual(valuesOf(measured.head, "content-length"), ["0"]);
      assert.deepEqual(valuesOf(measured.head, "transfer-encoding"), []);
    },
  );

  await t.test("an answer without a body ends at its head, and says what the backend said", async () => {
    for (const [status, length, kept] of [
      ["204 No Content", null, []],
      ["204 No Content", "7", []], // RFC 9110 §8.6: a 204 has none
      ["304 Not Modified", null, []],
      ["304 Not Modified", "1234", ["1234"]],
      ["205 Reset Content", "0", ["0"]],
    ] as const) {
      const lines = [`HTTP/1.1 ${status}`, ...(length === null ? [] : [`Content-Length: ${length}`])];
      const { head, body } = await relayed(answer(lines));
      assert.equal(head.split("\r\n")[0], `HTTP/1.1 ${status}`);
      assert.deepEqual(valuesOf(head, "content-length"), kept, `${status} ${length}`);
      assert.deepEqual(valuesOf(head, "transfer-encoding"), []);
      assert.equal(body, "");
    }
    const head = await relayed(answer([OK, "Content-Length: 1234"]), get("/", [], "HEAD"));
    assert.deepEqual(valuesOf(head.head, "content-length"), ["1234"]);
    assert.equal(head.body, "");
    assert.equal((await gateway.route("r")).errors.old, 0);
  });

  await t.test(
    "204 and 304 without a length leave the backend's connection for the next request",
    async () => {
      for (const status of ["204 No Content", "304 Not Modified"]) {
        await relayed(answer([`HTTP/1.1 ${status}`]));
        const before = old.connections;
        for (let n = 0; n < 3; n++) await relayed(answer([`HTTP/1.1 ${status}`]));
        assert.equal(old.connections, before, status);
      }
    },
  );

  const hints = answer(["HTTP/1.1 103 Early Hint", "Link: </a.css>; rel=preload; x=\xe9", "link: </b.js>"]);

  await t.test("interim answers go on as they came, each by itself, before the answer", async () => {
    const interims = `${hints}HTTP/1.1 102 Processing\r\n\r\n${hints}`;
    old.answer(bytes(`${interims}${answer([OK, "Content-Length: 2"], "ok")}`));
    const text = await talk(gateway.proxyUrl, get("/"));
    assert.ok(text.startsWith(`${interims}${OK}\r\n`), text);
  });

  await t.test("an interim answer arrives while the answer is yet to come", async () => {
    const gone = Promise.withResolvers<void>();
    let finish = (): void => {};
    old.answer((_head, socket) => {
      socket.write(Buffer.from(hints, "latin1"));
      finish = () => socket.write(answer([OK, "Content-Length: 2"], "ok"));
      gone.resolve();
    });
    const talking = talk(gateway.proxyUrl, get("/"));
    await gone.promise;
    const before = Date.now();
    finish();
    assert.ok((await talking).startsWith("HTTP/1.1 103 "));
    assert.ok(Date.now() - before < 5_000);
  });

  await t.test("a client that speaks HTTP/1.0 gets no interim answer", async () => {
    const { head, body } = await relayed(
      `${hints}${answer([OK, "Content-Length: 2"], "ok")}`,
      "GET / HTTP/1.0\r\n\r\n",
    );
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(body, "ok");
  });

  await t.test("an interim answer brings no length and no field of the gateway's", async () => {
    const { head } = await relayed(
      `HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\nx-cutover-side: new\r\nLink: a\r\n\r\n${answer([OK, "Content-Length: 2"], "ok")}`,
    );
    assert.equal(head, "HTTP/1.1 103 Early Hints\r\nLink: a");
  });

  await t.test("a 100 that nobody asked for is taken out, wherever it stands", async () => {
    const before = old.connections;
    const goOn = "HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n";
    const final = answer([OK, "Content-Length: 2"], "ok");
    for (const text of [goOn + final, goOn + goOn + hints + goOn + final, `${goOn}${hints}${final}`]) {
      for (const how of ["at once", "in bytes"]) {
        old.answer(async (_head, socket) => {
          if (how === "at once") {
            socket.write(Buffer.from(text, "latin1"));
            return;
          }
          socket.setNoDelay(true);
          for (const byte of Buffer.from(text, "latin1")) {
            socket.write(Buffer.from([byte]));
            await new Promise((resolve) => setImmediate(resolve));
          }
        });
        const seen = await talk(gateway.proxyUrl, get("/"));
        assert.ok(!seen.includes("100 Continue"), how);
        assert.equal(seen.split("HTTP/1.1 103").length, text.split("HTTP/1.1 103").length);
        assert.ok(seen.includes(`${OK}\r\n`) && seen.endsWith("\r\n\r\nok"), how);
      }
    }
    assert.ok(old.connections - before <= 1, "the connections are kept");
    assert.equal((await gateway.route("r")).errors.old, 0);
  });

  await t.test("a body that looks like an interim answer is a body", async () => {
    const text = "HTTP/1.1 100 Continue\r\n\r\n";
    old.answer((_head, socket) => {
      socket.setNoDelay(true);
      socket.write(answer([OK, `Content-Length: ${text.length}`]));
      setTimeout(() => socket.write(text), 10);
    });
    assert.equal(split(await talk(gateway.proxyUrl, get("/"))).body, text);
  });

  await t.test("an early answer ends the upload, and the client's connection goes on", async () => {
    let closed = 0;
    old.answer((head, socket) => {
      socket.on("close", () => closed++);
      if (head.startsWith("POST "))
        socket.write(answer(["HTTP/1.1 413 Too Much", "Content-Length: 2"], "no"));
      else socket.write(answer([OK, "Content-Length: 2"], "ok"));
    });
    const text = await talk(
      gateway.proxyUrl,
      `${keep("/").replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 300000\r\n\r\n")}${"x".repeat(300_000)}${get("/")}`,
    );
    assert.match(text, /^HTTP\/1\.1 413 Too Much\r\n/);
    assert.ok(text.endsWith("\r\n\r\nok"));
    assert.equal((await gateway.route("r")).errors.old, 0);
    await until("no connection is left in the middle of an upload", () => closed > 0);
  });
});

test("hints of a side that may yet be replaced wait for its answer", async () => {
  await using old = await startRawBackend(bytes(answer([OK, "Content-Length: 3"], "old")));
  await using modern = await startRawBackend();
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, modern.url, "canary: 100%\nguard: off"),
  });
  const hints = answer(["HTTP/1.1 103 Early Hints", "Link: </new.css>"]);
  modern.answer(bytes(`${hints}${answer(["HTTP/1.1 503 Busy", "Content-Length: 0"])}`));
  const replaced = await talk(gateway.proxyUrl, get("/"));
  assert.ok(replaced.startsWith(`${OK}\r\n`) && replaced.endsWith("old"));
  modern.answer(bytes(`${hints}${answer([OK, "Content-Length: 3"], "new")}`));
  const kept = await talk(gateway.proxyUrl, get("/"));
  assert.ok(kept.startsWith(`${hints}${OK}\r\n`) && kept.endsWith("new"));
});
