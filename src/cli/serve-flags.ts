/** The flags of `cutover serve`: everything about the process; everything about traffic is in the rules. */

import { type Command, Option } from "commander";
import {
  parseAccessLog,
  parseAddress,
  parseDurationMs,
  parseLogFormat,
  parseSharePpm,
  parseSwitch,
  parseThreads,
  parseWebhookUrl,
} from "./address.ts";
import type { Context } from "./context.ts";
import { adminToken, type Ended, reading, state, tokenFile } from "./flags.ts";
import { parseOtlpUrl } from "./otlp.ts";
import type { ServeFlags } from "./serve.ts";

/** Adds the command. */
export function addServe(program: Command, context: Context, ended: Ended): void {
  program
    .command("serve")
    .argument("[rules...]", "rules files or folders (default: rules/)")
    .description("start the gateway")
    .addOption(
      new Option("--listen <host:port>", "where clients connect; port 0 picks one")
        .env("CUTOVER_LISTEN")
        .default(parseAddress("127.0.0.1:8080"), "127.0.0.1:8080")
        .argParser(reading(parseAddress)),
    )
    .addOption(
      new Option("--admin <host:port>", "the admin port: status, metrics, actions")
        .env("CUTOVER_ADMIN")
        .default(parseAddress("127.0.0.1:9090"), "127.0.0.1:9090")
        .argParser(reading(parseAddress)),
    )
    .addOption(
      new Option("--threads <n>", "data-plane threads, or auto")
        .env("CUTOVER_THREADS")
        .default("auto")
        .argParser(reading(parseThreads)),
    )
    .addOption(state())
    .addOption(
      new Option("--access-log <which>", "all, errors, off, or a share such as 1%")
        .env("CUTOVER_ACCESS_LOG")
        .default({ kind: "all" }, "all")
        .argParser(reading(parseAccessLog)),
    )
    .addOption(
      new Option("--log-format <format>", "json, or ecs: the names of the Elastic Common Schema")
        .env("CUTOVER_LOG_FORMAT")
        .default("json")
        .argParser(reading(parseLogFormat)),
    )
    // The variable says on or off; a variable of a --no- flag would say no by being there.
    .addOption(
      new Option("--samples <on|off>", "whether answers that differ are stored")
        .env("CUTOVER_SAMPLES")
        .default(true, "on")
        .argParser(reading(parseSwitch))
        .hideHelp(),
    )
    .option("--no-samples", "store nothing of answers that differ (env: CUTOVER_SAMPLES=off)")
    .addOption(
      new Option("--no-response-headers", "leave x-cutover-* out of answers to clients").env(
        "CUTOVER_NO_RESPONSE_HEADERS",
      ),
    )
    .addOption(tokenFile())
    .addOption(adminToken())
    .addOption(
      new Option("--force-token-file <file>", "a file that holds the force token")
        .env("CUTOVER_FORCE_TOKEN_FILE")
        .conflicts("forceToken"),
    )
    .addOption(
      new Option("--force-token <token>", "allows x-cutover-force; other users may see it").env(
        "CUTOVER_FORCE_TOKEN",
      ),
    )
    .addOption(
      new Option("--drain-delay <time>", "keep accepting so long after saying not ready")
        .env("CUTOVER_DRAIN_DELAY")
        .default(2_000, "2s")
        .argParser(reading(parseDurationMs)),
    )
    .addOption(
      new Option("--drain-timeout <time>", "longest wait for requests in flight")
        .env("CUTOVER_DRAIN_TIMEOUT")
        .default(30_000, "30s")
        .argParser(reading(parseDurationMs)),
    )
    .addOption(
      new Option("--webhook <url>", "told of promotions and rollbacks (signed with CUTOVER_WEBHOOK_SECRET)")
        .env("CUTOVER_WEBHOOK")
        .argParser(reading(parseWebhookUrl)),
    )
    .addOption(
      new Option(
        "--otlp <url>",
        "export traces to this OTLP/HTTP collector (headers: OTEL_EXPORTER_OTLP_HEADERS)",
      )
        .env("CUTOVER_OTLP")
        .argParser(reading(parseOtlpUrl)),
    )
    .addOption(
      new Option("--trace-sample <share>", "of requests without a trace of their own (default: 1%)")
        .env("CUTOVER_TRACE_SAMPLE")
        .argParser(reading(parseSharePpm)),
    )
    .action(async (rules: string[], options: ServeFlags) => {
      const { serve } = await import("./serve.ts");
      ended(await serve(rules, options, context));
    });
}
