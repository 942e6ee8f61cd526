/**
 * A proxy made with a library from npm, as its manual shows it, with connections to the backend kept alive. The
 * library lies in the rig's cache, so it is loaded by path and described here as far as it is used.
 *
 *   node bench/peers/node-proxy.ts LIBRARY PACKAGE_FOLDER LISTEN_PORT BACKEND_URL [LOG_FILE]
 */

import {
  Agent,
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

/** As the native peers keep them: an idle client is not sent away while it is measured. */
const KEEP_ALIVE_MS = 3_600_000;
const MAX_CONNECTIONS = 256;

const [library = "", folder = "", port = "", backend = "", log] = process.argv.slice(2);
const load = createRequire(join(folder, "package.json"));

interface HttpProxy {
  createProxyServer(options: { readonly target: string; readonly agent: Agent }): {
    web(req: IncomingMessage, res: ServerResponse): void;
    on(event: "error", listener: (error: Error, req: IncomingMessage, res: ServerResponse) => void): void;
  };
}

type FastProxy = (options: { readonly base: string; readonly undici: object }) => {
  proxy(req: IncomingMessage, res: ServerResponse, url: string, options: object): void;
};

interface FastifyServer {
  register(plugin: unknown, options: object): void;
  listen(options: { readonly port: number; readonly host: string }): Promise<unknown>;
}

type Fastify = (options: { readonly logger: unknown; readonly keepAliveTimeout: number }) => FastifyServer;

function serve(listener: RequestListener): void {
  createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener).listen(Number(port), "127.0.0.1");
}

function serveHttpProxy(): void {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  const proxy = (load("http-proxy") as HttpProxy).createProxyServer({ target: backend, agent });
  proxy.on("error", (error, _req, res) => {
    if (!res.headersSent) res.writeHead?.(502);
    res.end(String(error));
  });
  serve((req, res) => proxy.web(req, res));
}

function serveFastProxy(): void {
  const create = load("fast-proxy") as FastProxy;
  const { proxy } = create({ base: backend, undici: { connections: MAX_CONNECTIONS, pipelining: 1 } });
  serve((req, res) => proxy(req, res, req.url ?? "/", {}));
}

async function serveFastify(): Promise<void> {
  const logger = log === undefined ? false : { level: "info", file: log };
  const server = (load("fastify") as Fastify)({ logger, keepAliveTimeout: KEEP_ALIVE_MS });
  server.register(load("@fastify/http-proxy"), {
    upstream: backend,
    undici: { connections: MAX_CONNECTIONS, pipelining: 1 },
  });
  await server.listen({ port: Number(port), host: "127.0.0.1" });
}

const SERVE: Readonly<Record<string, () => void | Promise<void>>> = {
  "http-proxy": serveHttpProxy,
  "fast-proxy": serveFastProxy,
  "fastify-http-proxy": serveFastify,
};

const start = SERVE[library];
if (start === undefined) throw new Error(`${library}: not one of ${Object.keys(SERVE).join(", ")}`);
await start();
