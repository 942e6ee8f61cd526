/**
 * A small user-profile service for deploy/compose.yaml: `node service.ts old 9001` or `… new 9002`. One answer of new
 * in 300 differs from old's, as in real life. `GET /fault/on` and `/fault/off` make it fail and answer again: through
 * the gateway no route leads there.
 */

import { createServer, type RequestListener, type ServerResponse } from "node:http";

type Generation = "old" | "new";

/** What it answers. `fault` begins off. */
export function profileService(generation: Generation): RequestListener {
  let isFailing = false;
  return (request, response) => {
    request.resume();
    const path = request.url ?? "";
    const fault = /^\/fault\/(on|off)$/.exec(path)?.[1];
    const id = /^\/profiles\/(\d{1,9})$/.exec(path)?.[1];
    if (path === "/healthz") return sendJson(response, 200, { ok: true });
    if (fault !== undefined) {
      isFailing = fault === "on";
      return sendJson(response, 200, { fault });
    }
    if (isFailing) return sendJson(response, 500, { error: "the profile database does not answer" });
    if (id === undefined) return sendJson(response, 404, { error: "no such profile" });
    const plan = Number(id) % 3 === 0 ? "plus" : "free";
    const differs = generation === "new" && Number(id) % 300 === 0;
    sendJson(response, 200, {
      id,
      name: `User ${id}`,
      plan: differs ? plan.toUpperCase() : plan,
      servedAt: Date.now(),
    });
  };
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length }).end(body);
}

if (import.meta.main) {
  const [generation, port] = process.argv.slice(2);
  if ((generation !== "old" && generation !== "new") || !/^\d{1,5}$/.test(port ?? "")) {
    console.error("write: node service.ts old|new PORT");
    process.exit(2);
  }
  // As the first process of a container it has no default for signals.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
  createServer(profileService(generation)).listen(Number(port), "0.0.0.0");
}
