import assert from "node:assert/strict";
import { test } from "node:test";
import { admit, maxForwards, type RequestHead } from "../../src/model/admission.ts";

const headOf = (changes: Partial<RequestHead>): RequestHead => ({
  method: "GET",
  target: "/",
  version: "1.1",
  rawHeaders: ["Host", "app.test"],
  ...changes,
});

const statusOf = (changes: Partial<RequestHead>): number | "admitted" => {
  const admission = admit(headOf(changes));
  return admission.kind === "admitted" ? "admitted" : admission.status;
};

test("a target goes on byte for byte: nothing is decoded, nothing is folded", () => {
  for (const target of ["/", "/a%2Fb", "//a", "/a/../b", "/a;b?c=%00", "/?", "/a?b?c", "/'\\^|"]) {
    assert.deepEqual(admit(headOf({ target })), { kind: "admitted", target, host: "app.test" }, target);
  }
});

test("an absolute target is read for its host and its path, whatever Host says", () => {
  const read = (target: string, method = "GET") => {
    const admission = admit(headOf({ target, method }));
    return admission.kind === "admitted" ? [admission.host, admission.target] : admission.status;
  };
  assert.deepEqual(read("http://b.test/x?y"), ["b.test", "/x?y"]);
  assert.deepEqual(read("HTTP://b.test:81"), ["b.test:81", "/"]);
  assert.deepEqual(read("http://b.test?q"), ["b.test", "/?q"]);
  assert.deepEqual(read("http://b.test", "OPTIONS"), ["b.test", "*"]);
  assert.equal(read("http://user@b.test/"), 400);
  assert.equal(read("http:///x"), 400);
  assert.equal(read("ftp://b.test/"), 400);
});

test("a Host that two parsers could read in two ways is refused", () => {
  for (const host of [
    "",
    "a b",
    "u@a.test",
    "a.test/x",
    "a.test,b.test",
    "a.test:80:81",
    "a.test:x",
    "[::1",
    "a\\b",
  ]) {
    assert.equal(statusOf({ rawHeaders: ["Host", host] }), 400, JSON.stringify(host));
  }
  for (const host of ["a.test", "a.test:8080", "[::1]:80", "127.0.0.1", "a_b.test", "xn--a.test"]) {
    assert.equal(statusOf({ rawHeaders: ["Host", host] }), "admitted", host);
  }
  assert.equal(statusOf({ rawHeaders: [] }), 400);
  assert.equal(statusOf({ rawHeaders: [], version: "1.0" }), "admitted");
});

test("fields that mean something else when they come twice may come once only", () => {
  for (const name of ["Host", "Authorization", "Content-Length", "Transfer-Encoding"]) {
    const rawHeaders = ["Host", "app.test", name, "1", name.toLowerCase(), "1"];
    assert.equal(statusOf({ rawHeaders, method: "POST" }), 400, name);
  }
  assert.equal(statusOf({ rawHeaders: ["Host", "a", "Cookie", "a=1", "Cookie", "b=2"] }), "admitted");
});

test("the one transfer coding is chunked, alone and in HTTP/1.1", () => {
  const withCoding = (coding: string, more: Partial<RequestHead> = {}) =>
    statusOf({ method: "POST", rawHeaders: ["Host", "a", "Transfer-Encoding", coding], ...more });
  assert.equal(withCoding("chunked"), "admitted");
  assert.equal(withCoding("Chunked"), "admitted");
  for (const coding of [
    "identity",
    "gzip, chunked",
    "chunked, chunked",
    "xchunked",
    '"chunked"',
    "chunked;q=1",
    "",
  ]) {
    assert.equal(withCoding(coding), 501, coding);
  }
  assert.equal(withCoding("chunked", { version: "1.0" }), 400);
  const both = ["Host", "a", "Transfer-Encoding", "chunked", "Content-Length", "3"];
  assert.equal(statusOf({ method: "POST", rawHeaders: both }), 400);
});

test("other versions, fragments, a star for other methods and a TRACE with a body are refused", () => {
  assert.equal(statusOf({ version: "2.0" }), 505);
  assert.equal(statusOf({ version: "0.9" }), 400);
  assert.equal(statusOf({ target: "/a#b" }), 400);
  assert.equal(statusOf({ target: "*" }), 400);
  assert.equal(statusOf({ target: "*", method: "OPTIONS" }), "admitted");
  assert.equal(statusOf({ method: "TRACE", rawHeaders: ["Host", "a", "Content-Length", "1"] }), 400);
});

test("Max-Forwards counts for TRACE and OPTIONS alone", () => {
  const sent = (method: string, value: string) =>
    maxForwards(headOf({ method, rawHeaders: ["Host", "a", "Max-Forwards", value] }));
  assert.equal(sent("OPTIONS", "0"), 0);
  assert.equal(sent("TRACE", "7"), 7);
  assert.equal(sent("GET", "0"), null);
  assert.equal(sent("OPTIONS", "x"), null);
});
