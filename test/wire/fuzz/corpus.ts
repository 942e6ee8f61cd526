/** Well-formed requests and answers to begin from. */

const HOST = "Host: a.test\r\n";
const POST = `POST /p HTTP/1.1\r\n${HOST}`;

/** None asks for a protocol that the gateway would tunnel: beyond a tunnel there is nothing to judge. */
export const REQUESTS: readonly string[] = [
  `GET / HTTP/1.1\r\n${HOST}\r\n`,
  `GET /a%2Fb/../c;d?e=f&g HTTP/1.1\r\n${HOST}Accept: */*\r\nCookie: a=b; c="d"\r\n\r\n`,
  `GET http://b.test/x?y HTTP/1.1\r\n${HOST}\r\n`,
  `HEAD /h HTTP/1.1\r\n${HOST}\r\n`,
  `OPTIONS * HTTP/1.1\r\n${HOST}Max-Forwards: 3\r\n\r\n`,
  `OPTIONS http://b.test HTTP/1.1\r\n${HOST}Trailer: x\r\n\r\n`,
  `TRACE /t HTTP/1.1\r\n${HOST}Max-Forwards: 0\r\n\r\n`,
  `CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`,
  `GET /old HTTP/1.0\r\n${HOST}\r\n`,
  `GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
  `${POST}Content-Length: 5\r\n\r\nhello`,
  `${POST}Content-Length: 48\r\n\r\nGET /in HTTP/1.1\r\nHost: a.test\r\nX: 123456789\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;a=b\r\nhello\r\n6;c="d"\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n2f\r\nGET /in HTTP/1.1\r\nHost: a.test\r\nX: 12345678\r\n\r\n\r\n0\r\n\r\n`,
  `PUT /e HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
  `DELETE /d HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  `GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  `${POST}Content-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\n${HOST}\r\nHEAD /3 HTTP/1.1\r\n${HOST}\r\n`,
  `GET /c HTTP/1.1\r\n${HOST}Connection: close, x-secret\r\nX-Secret: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\n\r\n`,
  `GET /f HTTP/1.1\r\n${HOST}X-Forwarded-For: 1.2.3.4\r\nX-Cutover-Force: new\r\nVia: 1.1 x\r\nX: \xe9\xff\r\n\r\n`,
  `GET /id HTTP/1.1\r\n${HOST}X-Request-Id: abc\r\ntraceparent: 00-${"a".repeat(32)}-${"b".repeat(16)}-01\r\n\r\n`,
];

/** `MARK` becomes the number of the request that is answered. */
export const MARK = "@MARK@";

const OK = "HTTP/1.1 200 OK\r\n";

export const ANSWERS: readonly string[] = [
  `${OK}Content-Length: 12\r\n\r\n${MARK}`,
  `${OK}Content-Length: 12\r\nContent-Type: text/plain\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n${MARK}`,
  `${OK}Transfer-Encoding: chunked\r\n\r\nc\r\n${MARK}\r\n0\r\n\r\n`,
  `${OK}Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\nc;a=b\r\n${MARK}\r\nc\r\n${MARK}\r\n0\r\nX: y\r\n\r\n`,
  `${OK}Connection: close\r\n\r\n${MARK}`,
  `HTTP/1.0 200 OK\r\n\r\n${MARK}`,
  `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}Content-Length: 12\r\n\r\n${MARK}`,
  `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 12\r\n\r\n${MARK}`,
  `HTTP/1.1 204 No Content\r\nX: ${MARK}\r\n\r\n`,
  `HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\nETag: "${MARK}"\r\n\r\n`,
  `HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\n${MARK}`,
  `HTTP/1.1 503 caf\xe9\r\nRetry-After: 1\r\nContent-Length: 12\r\n\r\n${MARK}`,
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n${MARK}`,
  `${OK}Content-Length: 0\r\n\r\n`,
  `${OK}Content-Length: 12\r\n\r\n${MARK}${OK}Content-Length: 12\r\nX-Poison: 1\r\n\r\n${MARK}`,
  `${OK}Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n${MARK}\r\n0\r\n\r\n`,
  `${OK}X-Cutover-Side: new\r\nX-Request-Id: forged\r\nContent-Length: 12\r\n\r\n${MARK}`,
];
