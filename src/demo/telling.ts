/** What the chapters of the story share. */

import type { Paint } from "../cli/output.ts";
import { counted } from "../model/figures.ts";
import type { Stage } from "./stage.ts";

export interface Telling {
  readonly stage: Stage;
  readonly paint: Paint;
  /** One line of the story. */
  say(text: string): void;
}

export interface Chapter {
  readonly title: string;
  /** Rejects, with a sentence, when what the title says did not happen. */
  play(telling: Telling): Promise<void>;
}

/** Longest wait for something that traffic brings about by itself. */
export const DEADLINE_MS = 30_000;

/** Switches the fault of the new service as a user would: over HTTP. */
export async function switchFault(stage: Stage, to: "on" | "off"): Promise<void> {
  const response = await fetch(`${stage.new.controlUrl}/fault/${to}`, { method: "POST" });
  if (!response.ok) throw new Error(`the fault could not be switched ${to}: ${response.status}`);
  await response.body?.cancel();
}

export function refuseFailures(stage: Stage): void {
  const { failed } = stage.traffic.total;
  if (failed > 0)
    throw new Error(
      `${counted(failed, "client request")} failed, such as: ${stage.traffic.failures[0] ?? "?"}`,
    );
}
