/** wrk, the load that asks as fast as it is answered. */

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { loaderEnv } from "./install.ts";
import { keyOf } from "./peer.ts";
import { bodyOf, REQUEST_COUNT, type Requests } from "./requests.ts";

const run = promisify(execFile);

export interface WrkResult {
  readonly requests: number;
  readonly tookMs: number;
  /** Answers other than 2xx and 3xx, and connections that broke or timed out. */
  readonly failures: number;
}

/** Beyond the load's own time. */
const GRACE_MS = 15_000;

/** Requests are made once: wrk would otherwise be busier than the backend. */
function script({ method, paths, bodyBytes }: Requests): string {
  return `local requests = {}
local paths = {${paths.map((path) => `"${path}"`).join(",")}}
local at = 0
function init(args)
  local body = ${bodyBytes === 0 ? "nil" : `'${bodyOf(bodyBytes)}'`}
  for user = 0, ${REQUEST_COUNT - 1} do
    local headers = { ["x-user"] = "${keyOf(0).slice(0, -1)}" .. user, ["accept"] = "application/json" }
    ${bodyBytes === 0 ? "" : 'headers["content-type"] = "application/json"'}
    requests[user + 1] = wrk.format("${method}", paths[user % #paths + 1], headers, body)
  end
end
function request()
  at = at % ${REQUEST_COUNT} + 1
  return requests[at]
end
function done(summary)
  local e = summary.errors
  io.write(string.format("figures %d %d %d\\n", summary.requests, summary.duration,
    e.status + e.connect + e.read + e.write + e.timeout))
end
`;
}

export interface Wrk {
  readonly program: string;
  /** For its script. */
  readonly folder: string;
  readonly cores: readonly number[] | null;
}

/** One thread of wrk at a URL for so many whole seconds. */
export async function flatOut(
  { program, folder, cores }: Wrk,
  url: string,
  requests: Requests,
  connections: number,
  seconds: number,
): Promise<WrkResult> {
  const file = join(folder, "requests.lua");
  writeFileSync(file, script(requests));
  const pinned = cores === null ? [] : ["taskset", "-c", cores.join(",")];
  const wrk = [program, "-t", "1", "-c", String(connections), "-d", `${seconds}s`, "-s", file, url];
  const [command = program, ...args] = [...pinned, ...wrk];
  const { stdout } = await run(command, args, {
    timeout: seconds * 1000 + GRACE_MS,
    env: { ...process.env, ...loaderEnv(program) },
  });
  const figures = /^figures (\d+) (\d+) (\d+)$/m.exec(stdout);
  if (figures === null) throw new Error(`wrk said nothing of its requests:\n${stdout}`);
  const [, count, tookUs, failures] = figures;
  return { requests: Number(count), tookMs: Number(tookUs) / 1000, failures: Number(failures) };
}
