/** Writes access log lines on stdout as a data thread does: POLICY, COUNT, PATH and FORMAT are its arguments. */

import { createAccessLog } from "../../src/observe/access-log.ts";

const [policy = "", count = "1", path = "/profiles/7", format = "json"] = process.argv.slice(2);
const log = createAccessLog(JSON.parse(policy), "a salt", format === "ecs" ? "ecs" : "json");
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
await log.flush();
