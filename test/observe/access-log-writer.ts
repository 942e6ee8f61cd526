/** Writes access log lines on stdout as a data thread does: POLICY, COUNT, PATH and FORMAT are its arguments. */

import { createAccessLog } from "../../src/observe/access-log.ts";
import { createLog } from "../../src/observe/log.ts";
import { LogWriter } from "../../src/observe/log-writer.ts";

const [policy = "", count = "1", path = "/profiles/7", format = "json"] = process.argv.slice(2);
const logFormat = format === "ecs" ? "ecs" : "json";
const writer = new LogWriter({
  say: (text) => process.stderr.write(`${text}\n`),
  tellLost: (lines) => events.warn({ lines }, "log-lost"),
});
const events = createLog(logFormat, (line) => writer.event(line));
const ring = writer.addRing();
const log = createAccessLog(JSON.parse(policy), "a salt", logFormat, (line) => ring.push(line));
for (let i = 0; i < Number(count); i += 1) {
  log.write({
    route: "profiles",
    side: "new",
    reason: "canary-share",
    rules: "0123456789ab",
    method: "GET",
    path,
    status: 200,
    failure: null,
    durationMs: 1.23456789,
    backendMs: i === 0 ? null : 0.98765,
    fallback: false,
    shadow: true,
    key: i === 0 ? null : "anna@example.com",
    requestId: `id-${i}`,
    traceId: "0af7651916cd43dd8448eb211c80319c",
    bytesIn: 0,
    bytesOut: 890,
  });
}
await writer.close();
