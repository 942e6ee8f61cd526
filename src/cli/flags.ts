/** Flags that several commands share, each with its environment name. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { parseAdminUrl, ValueError } from "./address.ts";

/** An argument parser for commander that keeps the teaching part of a ValueError. */
export function reading<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof ValueError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/** For texts that must say something. */
export function nonEmpty(text: string): string {
  if (text.trim() === "") throw new ValueError("It must not be empty");
  return text;
}

export const output = () =>
  new Option("-o, --output <form>", "how to print").choices(["text", "json"]).default("text");

export const reason = () =>
  new Option("--reason <text>", "why, for the audit trail")
    .argParser(reading(nonEmpty))
    .makeOptionMandatory();

export const state = () =>
  new Option("--state <folder>", "the gateway's state folder").env("CUTOVER_STATE").default(".cutover");

export const adminToken = () =>
  new Option("--admin-token <token>", "the admin token; other users of the machine may see it").env(
    "CUTOVER_ADMIN_TOKEN",
  );

export const tokenFile = () =>
  new Option("--token-file <file>", "a file that holds the admin token")
    .env("CUTOVER_TOKEN_FILE")
    // Which of two won would be a riddle, and an empty file would not be noticed.
    .conflicts("adminToken");

/** A command that speaks to a running gateway. */
export function remote(program: Command, nameAndArguments: string, description: string): Command {
  return program
    .command(nameAndArguments)
    .description(description)
    .addOption(
      new Option("--admin <url>", "the gateway's admin port")
        .env("CUTOVER_ADMIN")
        .default("http://127.0.0.1:9090")
        .argParser(reading(parseAdminUrl)),
    )
    .addOption(state())
    .addOption(tokenFile())
    .addOption(adminToken())
    .addOption(output());
}

/** Told the exit code of the command that ran. */
export type Ended = (exitCode: number) => void;
