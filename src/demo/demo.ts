/** The demo: sets the stage, plays the story, and stays for the user to play with. */

import { setTimeout as sleep } from "node:timers/promises";
import { CliError, EXIT_DONE, EXIT_NO } from "../cli/exit.ts";
import { type Paint, printableLines, type Streams } from "../cli/output.ts";
import { NO_TREND, withLook } from "../cli/trend.ts";
import { CHAPTERS } from "./chapters.ts";
import { ROUTE } from "./rules-file.ts";
import { openScreen, panelLines, type Screen } from "./screen.ts";
import { openStage, type Stage } from "./stage.ts";
import type { Chapter } from "./telling.ts";

export interface DemoOptions {
  /** Play the story, then stop. */
  readonly once: boolean;
  readonly streams: Streams;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly paint: Paint;
}

const PANEL_INTERVAL_MS = 200;
/** The whole story takes about so long. */
const PANEL_SPAN_MS = 60_000;
/** A chapter is over sooner than it is read. */
const READING_TIME_MS = 3_000;
/** Under npx one Ctrl-C arrives twice; only a later one is impatience. */
const SAME_SIGNAL_MS = 1_000;

/** 0 when every chapter really happened; 1 naming the one that did not, or when the story was stopped. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const stop = stopOnSignals();
  const screen = await openScreen(options.streams.out, options.env);
  try {
    screen.say(options.paint("dim", "starting two services and a gateway …"));
    const stage = await openStage({ env: options.env, usualPorts: !options.once, signal: stop });
    const panel = keepPanel(stage, screen, options.paint);
    try {
      await playStory(CHAPTERS, stage, screen, options, stop);
      if (!options.once) await stay(stage, screen, options, stop);
      return EXIT_DONE;
    } finally {
      await panel.close();
      screen.panel([options.paint("dim", "stopping …")]);
      await stage.close();
      screen.say(options.paint("dim", "stopped: no process is left, and the temporary folder is gone"));
    }
  } catch (error) {
    // Stopped by the user: whatever broke off then is no failure, but the story was not told to its end either.
    if (stop.aborted) return options.once ? EXIT_NO : EXIT_DONE;
    throw error instanceof CliError ? error : new CliError(messageOf(error), EXIT_NO);
  } finally {
    screen.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A signal that fires at the first SIGINT or SIGTERM; a later one ends the process, and its children with it. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  let firstAtMs: number | null = null;
  const onSignal = () => {
    const nowMs = performance.now();
    if (firstAtMs !== null && nowMs - firstAtMs > SAME_SIGNAL_MS) process.exit(EXIT_NO);
    firstAtMs ??= nowMs;
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}

/** Plays one chapter after the other. Throws CliError 1 naming the first that did not happen. */
export async function playStory(
  chapters: readonly Chapter[],
  stage: Stage,
  screen: Screen,
  options: DemoOptions,
  stop: AbortSignal,
): Promise<void> {
  const { paint } = options;
  for (const [index, chapter] of chapters.entries()) {
    screen.say(`\n${paint("bold", `${index + 1}. ${chapter.title}`)}`);
    try {
      await chapter.play({ stage, paint, say: (text) => screen.say(`   ${text}`) });
    } catch (error) {
      throw new CliError(
        `chapter ${index + 1}, "${chapter.title}", did not happen: ${printableLines(messageOf(error))}`,
        EXIT_NO,
      );
    }
    if (!options.once) await sleep(READING_TIME_MS, undefined, { signal: stop });
  }
}

async function stay(stage: Stage, screen: Screen, options: DemoOptions, stop: AbortSignal): Promise<void> {
  screen.say(invitation(stage, options.paint));
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  if (stop.aborted) resolve();
  stop.addEventListener("abort", () => resolve(), { once: true });
  await Promise.race([stopped, stage.died]);
}

/** What there is to play with, as lines to copy. */
function invitation(stage: Stage, paint: Paint): string {
  const { proxyUrl, adminUrl } = stage.gateway;
  const lines: readonly (readonly [string, string])[] = [
    ["see it all in a browser", stage.dashboardUrl],
    ["ask for a profile, and see who answers and why", `curl -i -H 'x-user-id: 7' ${proxyUrl}/profiles/7`],
    [
      "in another terminal, tell the command line where this gateway is",
      `export CUTOVER_ADMIN=${adminUrl} CUTOVER_STATE=${stage.stateFolder}`,
    ],
    ["watch", "npx cutover status -w"],
    ["why would user 7 go where he goes?", "npx cutover explain GET /profiles/7 -H 'x-user-id: 7'"],
    ["who did what, and what was known", `npx cutover history ${ROUTE}`],
    ["break new once more", `curl -X POST ${stage.new.controlUrl}/fault/on`],
    ["mend it, then let it climb again", `curl -X POST ${stage.new.controlUrl}/fault/off`],
    ["", `npx cutover reset ${ROUTE} --reason 'new is mended'`],
    ["", `npx cutover resume ${ROUTE} --reason 'once more'`],
    ["change the rules while they act", `\${EDITOR:-vi} ${stage.rulesFile}`],
  ];
  return [
    `\n${paint("bold", "It stays up: play with it.")} Ctrl-C stops everything.`,
    ...lines.flatMap(([why, command]) => [
      ...(why === "" ? [] : [`   ${paint("dim", `# ${why}`)}`]),
      `   ${command}`,
    ]),
  ].join("\n");
}

/** Redraws the panel from what the gateway says, until closed. Does nothing where no panel shows. */
function keepPanel(stage: Stage, screen: Screen, paint: Paint): { close(): Promise<void> } {
  const ended = new AbortController();
  let trend = NO_TREND;
  const loop = async () => {
    while (screen.live && !ended.signal.aborted) {
      // A gateway that does not answer is what the chapters report; the panel just keeps its last picture.
      const route = await stage.route().catch(() => null);
      if (route !== null && !ended.signal.aborted) {
        const nowMs = Date.now();
        trend = withLook(trend, { atMs: nowMs, route });
        screen.panel(
          panelLines(route, trend, stage.traffic.total, {
            nowMs,
            spanMs: PANEL_SPAN_MS,
            paint,
            ...screen.room(),
          }),
        );
      }
      await sleep(PANEL_INTERVAL_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async close() {
      ended.abort();
      await running;
    },
  };
}
