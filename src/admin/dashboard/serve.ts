/** Serves the dashboard's files: built ones from the package, or bundled once in memory where the sources run. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { bundleDashboard } from "./bundle.ts";
import { PAGE, SCRIPT_FILE, SECURITY_HEADERS, STYLE_FILE } from "./page.ts";

/** Beside the sources only: the package has none. */
const SOURCES = new URL("browser/main.tsx", import.meta.url);
/** From dist/admin/dashboard/ to dist/dashboard/, which scripts/build.ts fills. */
const BUILT = new URL("../../dashboard/", import.meta.url);

export interface FileReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Dashboard {
  /** The document. */
  page(request: IncomingMessage): Promise<FileReply>;
  /** A file below `/assets/`; undefined: there is none of this name. Rejects when the files cannot be had. */
  asset(name: string, request: IncomingMessage): Promise<FileReply | undefined>;
}

interface StaticFile {
  readonly contentType: string;
  readonly plain: Buffer;
  readonly zipped: Buffer;
  readonly etag: string;
}

/** Nothing is read or bundled before the first request. */
export function createDashboard(): Dashboard {
  const page = staticFile("text/html; charset=utf-8", Buffer.from(PAGE));
  let files: Promise<ReadonlyMap<string, StaticFile>> | undefined;
  const assets = (): Promise<ReadonlyMap<string, StaticFile>> => {
    files ??= loadFiles().catch((error: unknown) => {
      files = undefined; // so that a reload of the page tries again
      throw error;
    });
    return files;
  };
  return {
    async page(request) {
      return reply(await page, request);
    },
    async asset(name, request) {
      const file = (await assets()).get(name);
      return file === undefined ? undefined : reply(file, request);
    },
  };
}

async function loadFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const { script, style } = existsSync(SOURCES) ? await bundleDashboard() : await builtFiles();
  return new Map([
    [SCRIPT_FILE, await staticFile("text/javascript; charset=utf-8", script)],
    [STYLE_FILE, await staticFile("text/css; charset=utf-8", style)],
  ]);
}

async function builtFiles(): Promise<{ script: Buffer; style: Buffer }> {
  const [script, style] = await Promise.all([
    readFile(new URL(SCRIPT_FILE, BUILT)),
    readFile(new URL(STYLE_FILE, BUILT)),
  ]);
  return { script, style };
}

async function staticFile(contentType: string, plain: Buffer): Promise<StaticFile> {
  const etag = `"${createHash("sha256").update(plain).digest("hex").slice(0, 24)}"`;
  return { contentType, plain, zipped: await promisify(gzip)(plain, { level: 9 }), etag };
}

/** Compressed for whoever takes it; 304 for whoever has it. A new release is seen at the next visit. */
function reply({ contentType, plain, zipped, etag }: StaticFile, request: IncomingMessage): FileReply {
  const headers = { ...SECURITY_HEADERS, "cache-control": "no-cache", etag, vary: "accept-encoding" };
  if (request.headers["if-none-match"] === etag) {
    return { status: 304, contentType, body: Buffer.alloc(0), headers };
  }
  const takesGzip = /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))|,|$)/i.test(
    String(request.headers["accept-encoding"] ?? ""),
  );
  if (!takesGzip) return { status: 200, contentType, body: plain, headers };
  return { status: 200, contentType, body: zipped, headers: { ...headers, "content-encoding": "gzip" } };
}
