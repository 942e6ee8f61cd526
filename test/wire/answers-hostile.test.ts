import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { get, type RawScript, split, startRawBackend, talk, valuesOf } from "../support/raw.ts";
import { until } from "../support/until.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const KIB = 1024;
const LENGTH = "Content-Length: 2\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

/** Answers that no reader can rely on: the client gets a 502 in their place. */
const REFUSED: Readonly<Record<string, string>> = {
  "Content-Length and Transfer-Encoding": `${OK}${LENGTH}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`,
  "Transfer-Encoding and Content-Length": `${OK}${CHUNKED}${LENGTH}\r\n2\r\nok\r\n0\r\n\r\n`,
  "two lengths": `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`,
  "one length twice": `${OK}${LENGTH}${LENGTH}\r\nok`,
  "a list of lengths": `${OK}Content-Length: 2, 2\r\n\r\nok`,
  "a negative length": `${OK}Content-Length: -2\r\n\r\nok`,
  "a signed length": `${OK}Content-Length: +2\r\n\r\nok`,
  "a hexadecimal length": `${OK}Content-Length: 0x2\r\n\r\nok`,
  "an empty length": `${OK}Content-Length: \r\n\r\nok`,
  "a length beyond 64 bits": `${OK}Content-Length: 99999999999999999999999\r\n\r\nok`,
  "a length beyond exact numbers": `${OK}Content-Length: 9999999999999999\r\n\r\nok`,
  "another transfer coding": `${OK}Transfer-Encoding: gzip\r\n\r\nok`,
  "a coding before chunked": `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  "chunked twice": `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  "chunked twice, in two fields": `${OK}${CHUNKED}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`,
  "a coding after chunked": `${OK}Transfer-Encoding: chunked, identity\r\n\r\nok`,
  "an obscured coding": `${OK}Transfer-Encoding: xchunked\r\n\r\nok`,
  "a coding in HTTP/1.0": `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`,
  "a folded field": `${OK}X-A: one\r\n two\r\n${LENGTH}\r\nok`,
  "a folded first field": `${OK} X-A: one\r\n${LENGTH}\r\nok`,
  "NUL in a value": `${OK}X-A: a\0b\r\n${LENGTH}\r\nok`,
  "NUL in a name": `${OK}X\0A: b\r\n${LENGTH}\r\nok`,
  "a bare CR in a value": `${OK}X-A: a\rSet-Cookie: b\r\n${LENGTH}\r\nok`,
  "a bare LF after a field": `${OK}X-A: a\nSet-Cookie: b\r\n${LENGTH}\r\nok`,
  "a bare LF after the status line": `HTTP/1.1 200 OK\n${LENGTH}\r\nok`,
  "a bare CR after the status line": `HTTP/1.1 200 OK\r${LENGTH}\r\nok`,
  "NUL in the reason": `HTTP/1.1 200 O\0K\r\n${LENGTH}\r\nok`,
  "a space before a colon": `${OK}Content-Length : 2\r\n\r\nok`,
  "a tab before a colon": `${OK}Transfer-Encoding\t: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  "a field without a name": `${OK}: x\r\n${LENGTH}\r\nok`,
  "a line without a colon": `${OK}nonsense\r\n${LENGTH}\r\nok`,
  "HTTP/0.9": "<html>hello</html>\r\n",
  "a status line of HTTP/0.9": `HTTP/0.9 200 OK\r\n${LENGTH}\r\nok`,
  "a status line of HTTP/2.0": `HTTP/2.0 200 OK\r\n${LENGTH}\r\nok`,
  "a status line of HTTP/1.2": `HTTP/1.2 200 OK\r\n${LENGTH}\r\nok`,
  "a protocol in lower case": `http/1.1 200 OK\r\n${LENGTH}\r\nok`,
  "frames of HTTP/2": "\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff\n",
  "another protocol": "SSH-2.0-OpenSSH_9.2\r\n",
  "status 099": `HTTP/1.1 099 Odd\r\n${LENGTH}\r\nok`,
  "status 000": `HTTP/1.1 000 Odd\r\n${LENGTH}\r\nok`,
  "status 600": `HTTP/1.1 600 Odd\r\n${LENGTH}\r\nok`,
  "status 20": `HTTP/1.1 20 Odd\r\n${LENGTH}\r\nok`,
  "status 2000": `HTTP/1.1 2000 Odd\r\n${LENGTH}\r\nok`,
  "a signed status": `HTTP/1.1 -20 Odd\r\n${LENGTH}\r\nok`,
  "101 unasked": "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  "101 that names no protocol": `HTTP/1.1 101 Switching Protocols\r\n\r\n${OK}${LENGTH}\r\nok`,
  "101 after 103": `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n${OK}${LENGTH}\r\nok`,
  "a flood of interim answers": `${"HTTP/1.1 102 Processing\r\n\r\n".repeat(1000)}${OK}${LENGTH}\r\nok`,
  "a large interim answer": `HTTP/1.1 103 Early Hints\r\nLink: ${"x".repeat(40 * KIB)}\r\n\r\n${OK}${LENGTH}\r\nok`,
  "one large field": `${OK}X-A: ${"x".repeat(80 * KIB)}\r\n${LENGTH}\r\nok`,
  "very many fields": `${OK}${"X-A: 1234567890\r\n".repeat(8 * KIB)}${LENGTH}\r\nok`,
  "an endless reason": `HTTP/1.1 200 ${"x".repeat(80 * KIB)}\r\n${LENGTH}\r\nok`,
};

const ENDING: RawScript = (_head, socket) => {
  socket.end();
};
const RESETTING: RawScript = (_head, socket) => {
  socket.resetAndDestroy();
};

/** A backend that plays a script for /hostile and answers anything else with its target. */
async function startHostileBackend() {
  let script: RawScript = ENDING;
  const backend = await startRawBackend((head, socket) => {
    const target = head.split(" ")[1] ?? "";
    if (target === "/hostile") script(head, socket);
    else socket.write(`${OK}Content-Length: ${target.length}\r\n\r\n${target}`);
  });
  return {
    backend,
    plays: (next: RawScript | string) => {
      script = typeof next === "string" ? (_head, socket) => socket.write(Buffer.from(next, "latin1")) : next;
    },
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

/** Interim answers may have gone on before what followed them proved to be none. */
function withoutInterims(text: string): string {
  return text.replace(/^(?:HTTP\/1\.1 10[23] [\s\S]*?\r\n\r\n)*/, "");
}

async function assertUnpoisoned(gateway: TestGateway, what: string, count = 3): Promise<void> {
  for (let n = 0; n < count; n++) {
    const target = `/own-${n}`;
    const { head, body } = split(await talk(gateway.proxyUrl, get(target)));
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/, what);
    assert.equal(body, target, what);
  }
}

test("an answer that can be read in two ways never reaches a client", { timeout: 240_000 }, async (t) => {
  await using hostile = await startHostileBackend();
  const { backend, plays } = hostile;
  await using gateway = await TestGateway.start({
    rules: rulesFor(backend.url, backend.url, ""),
    flags: ["--threads", "1"],
  });
  let faults = 0;
  for (const [name, text] of Object.entries(REFUSED)) {
    await t.test(`${name}: 502, and later requests get their own answers`, async () => {
      plays(text);
      const { head, body } = split(withoutInterims(await talk(gateway.proxyUrl, get("/hostile"))));
      assert.match(head, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
      assert.deepEqual(valuesOf(head, "proxy-status"), ["cutover; error=http_protocol_error"]);
      assert.equal(valuesOf(head, "content-length").length, 1);
      assert.ok(!body.includes("ok") || body.startsWith("{"));
      faults++;
      await assertUnpoisoned(gateway, name);
    });
  }
  await t.test("each is asked once, and held against the backend", async () => {
    assert.equal(backend.heads.filter((head) => head.startsWith("GET /hostile ")).length, faults);
    await until("all are counted", async () => (await gateway.route("r")).errors.old === faults);
  });
  await t.test("the same bytes one by one make no difference", async () => {
    for (const name of ["HTTP/0.9", "status 099", "101 unasked", "a folded field", "chunked twice"]) {
      plays((_head, socket) => void trickle(socket, REFUSED[name] ?? ""));
      const { head } = split(await talk(gateway.proxyUrl, get("/hostile")));
      assert.match(head, /^HTTP\/1\.1 502 Bad Gateway\r\n/, name);
      await assertUnpoisoned(gateway, name, 1);
    }
  });
});

async function trickle(socket: Parameters<RawScript>[1], text: string): Promise<void> {
  socket.setNoDelay(true);
  for (const byte of text) {
    if (socket.destroyed) return;
    socket.write(Buffer.from(byte, "latin1"));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Answers that begin well and then go wrong: the client must notice. */
const CUT: Readonly<Record<string, string>> = {
  "a chunk size that is no number": `${OK}${CHUNKED}\r\n4\r\nsome\r\nzz\r\n`,
  "a negative chunk size": `${OK}${CHUNKED}\r\n4\r\nsome\r\n-4\r\nmore\r\n`,
  "a chunk size with 0x": `${OK}${CHUNKED}\r\n4\r\nsome\r\n0x4\r\nmore\r\n0\r\n\r\n`,
  "a chunk size beyond 64 bits": `${OK}${CHUNKED}\r\n4\r\nsome\r\nfffffffffffffffff\r\nmore`,
  "a chunk longer than its size": `${OK}${CHUNKED}\r\n4\r\nsomething\r\n0\r\n\r\n`,
  "a bare LF after a chunk size": `${OK}${CHUNKED}\r\n4\r\nsome\r\n4\nmore\r\n0\r\n\r\n`,
  "a space before a chunk size's end": `${OK}${CHUNKED}\r\n4\r\nsome\r\n4 \r\nmore\r\n0\r\n\r\n`,
  "a folded trailer": `${OK}${CHUNKED}\r\n4\r\nsome\r\n0\r\nX-A: one\r\n two\r\n\r\n`,
  "a trailer without a colon": `${OK}${CHUNKED}\r\n4\r\nsome\r\n0\r\nnonsense\r\n\r\n`,
  "a length after the body": `${OK}${CHUNKED}\r\n4\r\nsome\r\n0\r\nContent-Length: 9\r\n\r\n`,
  "a flood of trailers": `${OK}${CHUNKED}\r\n4\r\nsome\r\n0\r\n${"X-A: 1234567890\r\n".repeat(8 * KIB)}\r\n`,
};

test("an answer that goes wrong on the way is cut, and poisons nothing", { timeout: 240_000 }, async (t) => {
  await using hostile = await startHostileBackend();
  const { backend, plays } = hostile;
  await using gateway = await TestGateway.start({
    rules: rulesFor(backend.url, backend.url, ""),
    flags: ["--threads", "1"],
  });
  let faults = 0;
  const assertCut = async (name: string): Promise<void> => {
    const text = await talk(gateway.proxyUrl, get("/hostile").replace("Connection: close\r\n", ""));
    faults++;
    // Where it goes wrong before anything was sent on, the client may be told so.
    if (!text.startsWith("HTTP/1.1 502 ")) {
      assert.ok(text === "" || text.startsWith(OK), name);
      assert.ok(!text.endsWith("0\r\n\r\n"), `${name}: ${text}`);
    }
    await assertUnpoisoned(gateway, name);
  };
  for (const [name, text] of Object.entries(CUT)) {
    await t.test(`${name}: the client is cut off`, async () => {
      plays(text);
      await assertCut(name);
    });
  }
  const breaks = { length: "Content-Length: 100\r\n", chunks: CHUNKED };
  for (const [name, field] of Object.entries(breaks)) {
    for (const [how, breakOff] of Object.entries({ end: ENDING, reset: RESETTING })) {
      await t.test(`a body by its ${name} that breaks off by ${how}: the client is cut off`, async () => {
        plays((head, socket) => {
          socket.write(`${OK}${field}\r\n4\r\nsome\r\n`, () => setTimeout(breakOff, 20, head, socket));
        });
        await assertCut(name);
      });
    }
  }
  await t.test("a body until the connection's end that is reset: the client is cut off", async () => {
    plays((head, socket) => {
      socket.write(`${OK}\r\nsome`, () => setTimeout(RESETTING, 50, head, socket));
    });
    await assertCut("reset");
  });
  await t.test("each is held against the backend", async () => {
    await until("all are counted", async () => (await gateway.route("r")).errors.old === faults);
  });
  await t.test("a body until the connection's orderly end is whole", async () => {
    plays((head, socket) => {
      socket.write(`${OK}\r\nsome`, () => setTimeout(ENDING, 20, head, socket));
    });
    const { body } = split(await talk(gateway.proxyUrl, get("/hostile")));
    assert.equal(body, "4\r\nsome\r\n0\r\n\r\n");
    assert.equal((await gateway.route("r")).errors.old, faults);
  });
});

const FORGED = `${OK}Content-Length: 6\r\n\r\nforged`;

/** Whole answers with bytes behind them. */
const SURPLUS: Readonly<Record<string, { readonly text: string; readonly method?: string }>> = {
  "a second answer": { text: `${OK}${LENGTH}\r\nok${FORGED}` },
  "junk behind a length": { text: `${OK}${LENGTH}\r\nokJUNK\r\n\r\n` },
  "a second answer behind chunks": { text: `${OK}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n${FORGED}` },
  "a body to HEAD": { text: `${OK}Content-Length: 6\r\n\r\n${FORGED}`, method: "HEAD" },
  "a body on 204": { text: `HTTP/1.1 204 No Content\r\n\r\n${FORGED}` },
  "a body with its length on 204": { text: `HTTP/1.1 204 No Content\r\n${LENGTH}\r\nok${FORGED}` },
  "a body on 304": { text: `HTTP/1.1 304 Not Modified\r\n\r\n${FORGED}` },
  "a body with its length on 304": { text: `HTTP/1.1 304 Not Modified\r\n${LENGTH}\r\nok${FORGED}` },
  "a body in chunks on 304": {
    text: `HTTP/1.1 304 Not Modified\r\n${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n${FORGED}`,
  },
};

test("bytes behind an answer are never anybody's answer", { timeout: 240_000 }, async (t) => {
  await using hostile = await startHostileBackend();
  const { backend, plays } = hostile;
  await using gateway = await TestGateway.start({
    rules: rulesFor(backend.url, backend.url, ""),
    flags: ["--threads", "1"],
  });
  for (const [name, { text, method = "GET" }] of Object.entries(SURPLUS)) {
    for (const when of ["at once", "later"]) {
      await t.test(`${name}, ${when}`, async () => {
        const at = text.indexOf(FORGED) === -1 ? text.indexOf("JUNK") : text.indexOf(FORGED);
        plays((_head, socket) => {
          // Else the kernel holds the second packet back until the next request comes with its acknowledgement.
          socket.setNoDelay(true);
          socket.write(when === "at once" ? text : text.slice(0, at));
          if (when === "later") setTimeout(() => socket.write(text.slice(at)), 10);
        });
        const answer = await talk(gateway.proxyUrl, get("/hostile", [], method));
        assert.match(answer, /^HTTP\/1\.1 (?:200|204|304) /);
        assert.ok(!answer.includes("forged") && !answer.includes("JUNK"), answer);
        if (when === "later") await new Promise((resolve) => setTimeout(resolve, 30));
        await assertUnpoisoned(gateway, name, 5);
      });
    }
  }
  await t.test("many requests on one connection each get their own", async () => {
    plays(SURPLUS["a second answer"]?.text ?? "");
    const keep = (target: string): string => get(target).replace("Connection: close\r\n", "");
    const text = await talk(
      gateway.proxyUrl,
      Array.from({ length: 20 }, (_, n) => keep(n % 2 === 0 ? "/hostile" : `/own-${n}`)).join("") +
        get("/end"),
    );
    assert.ok(!text.includes("forged"));
    for (let n = 1; n < 20; n += 2) assert.ok(text.includes(`\r\n\r\n/own-${n}`));
    assert.ok(text.endsWith("/end"));
  });
  await t.test("a backend that goes on sending is let go of", async () => {
    let isCut = false;
    plays((_head, socket) => {
      socket.write(`${OK}${LENGTH}\r\nok`);
      const junk = setInterval(() => socket.write("junk".repeat(1000)), 5);
      socket.on("close", () => {
        clearInterval(junk);
        isCut = true;
      });
    });
    const { body } = split(await talk(gateway.proxyUrl, get("/hostile")));
    assert.equal(body, "ok");
    await until("its connection is closed", () => isCut);
    await assertUnpoisoned(gateway, "junk");
  });
});
