/**
 * Old and new: two nginx that answer out of memory, far cheaper than any proxy. Each counts its requests and
 * connections, which shows what a proxy really did. Without sendfile: with it, answers of 1 MiB stood still on
 * loopback until a probe of the kernel's, whoever read them.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "./child.ts";
import { loaderEnv } from "./install.ts";
import { nginxArgs, nginxFrame } from "./nginx.ts";
import { urlOf } from "./peer.ts";
import { freePort, reachable } from "./ports.ts";

export const SMALL_PATH = "/items/";
/** New answers a tenth of the requests below it with other JSON than old. */
export const DIFFERING_PATH = "/differing/";
const STATUS_PATH = "/backend-status";

/** Files below it: their names are their sizes in KiB. */
export const filePath = (kib: number): string => `/files/${kib}`;
export const FILE_KIB: readonly number[] = [64, 1024];
export const SMALL_BYTES = 890;
const DIFFERENT_PERCENT = 10;

/** What a backend has counted since it was started. */
export interface Counts {
  readonly connections: number;
  readonly requests: number;
}

export interface Backends extends AsyncDisposable {
  readonly oldPort: number;
  readonly newPort: number;
  counts(): Promise<{ readonly old: Counts; readonly new: Counts }>;
}

/** JSON of 890 bytes: twelve items, the first of which says which version it is. */
function smallJson(version: string): string {
  const items = Array.from({ length: 12 }, (_, id) => ({ id, text: id === 0 ? version : "t".repeat(49) }));
  const text = JSON.stringify({ items });
  return `${text.slice(0, -1)},"end":"${"e".repeat(SMALL_BYTES - text.length - 9)}"}`;
}

function configOf(side: "old" | "new", folder: string, port: number): string {
  const other = `split_clients $connection-$connection_requests $answer {
    ${DIFFERENT_PERCENT}% '${smallJson("v2")}';
    * '${smallJson("v1")}';
  }`;
  const http = `  access_log off;
  default_type application/json;
  output_buffers 2 512k;
  client_max_body_size 64m;
  client_body_buffer_size 64k;
  ${side === "new" ? other : ""}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder};
    location / { return 200 '${smallJson("v1")}'; }
    location ${DIFFERING_PATH} { return 200 ${side === "new" ? "$answer" : `'${smallJson("v1")}'`}; }
    location /files/ { default_type application/octet-stream; }
    location = ${STATUS_PATH} { stub_status; }
  }`;
  return nginxFrame(folder, http);
}

/** `folder`: theirs. `cores`: where they run. */
export async function startBackends(
  nginx: string,
  folder: string,
  cores: readonly number[] | null,
): Promise<Backends> {
  await using started = new AsyncDisposableStack();
  const ports = { old: await freePort(), new: await freePort() };
  for (const side of ["old", "new"] as const) {
    const home = join(folder, side);
    mkdirSync(join(home, "files"), { recursive: true });
    for (const kib of FILE_KIB) writeFileSync(join(home, filePath(kib)), Buffer.alloc(kib * 1024, "x"));
    writeFileSync(join(home, "nginx.conf"), configOf(side, home, ports[side]));
    const child = started.use(
      new Child({ command: nginx, args: nginxArgs(home), env: loaderEnv(nginx), cores }),
    );
    await reachable(`the backend ${side}`, urlOf(ports[side]) + SMALL_PATH, child, SMALL_BYTES);
  }
  const owned = started.move();
  return {
    oldPort: ports.old,
    newPort: ports.new,
    counts: async () => ({ old: await countsOf(ports.old), new: await countsOf(ports.new) }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function countsOf(port: number): Promise<Counts> {
  const text = await (await fetch(urlOf(port) + STATUS_PATH)).text();
  const [, connections, , requests] = /(\d+) (\d+) (\d+)/.exec(text) ?? [];
  if (connections === undefined || requests === undefined) throw new Error(`not nginx's status:\n${text}`);
  return { connections: Number(connections), requests: Number(requests) };
}
