/**
 * node:http for what runs within the gateway. Named in an `import`, Node makes a module of it and reads all that it
 * exports, and three of its exports load a WebSocket client of their own at the first look: 14 MB in each thread.
 */

export const { createServer, METHODS, request, ServerResponse } = process.getBuiltinModule("node:http");
