/** The admin API, spoken to by the commands. Every failure becomes a CliError with its exit code. */

import { readFileSync } from "node:fs";
import { readAdminToken } from "../control/store/token.ts";
import { CliError, EXIT_NO, EXIT_UNREACHABLE, EXIT_USAGE } from "./exit.ts";
import { type Answer, AnswerTimeout, AnswerTooLarge, exchange } from "./http.ts";
import { printable } from "./output.ts";

/** Where the gateway is and what proves that we may speak to it; from flags and environment. */
export interface ConnectOptions {
  /** An origin such as "http://127.0.0.1:9090". */
  readonly admin: string;
  readonly state: string;
  readonly adminToken?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** Breaks off what is being asked. */
  readonly signal?: AbortSignal | undefined;
}

export interface AdminClient {
  readonly url: string;
  /** The answer's JSON. Throws CliError: 3 when nothing answers, 1 when the answer is no. */
  get(path: string): Promise<unknown>;
  /** The same for an answer that is text. */
  getText(path: string): Promise<string>;
  /** The same for a POST with a JSON body. */
  post(path: string, body: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Whether the gateway takes traffic. Throws CliError 3 when nothing answers. */
  ready(): Promise<boolean>;
}

/** Longest wait for an answer. A reload may read a million keys first. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A status of a thousand routes is about 1 MB, a list of a thousand clusters less than 4 MB. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/** A client for one gateway. Opens nothing until it is asked for something. */
export function createAdminClient(options: ConnectOptions): AdminClient {
  let found: Promise<Token> | null = null;
  const request = async (method: string, path: string, body?: unknown) => {
    found ??= findToken(options);
    const token = await found;
    const answer = await send(options, method, path, token.text, body);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw answer.status === 401 ? unauthorized(options, token) : refusal(options, answer);
  };
  return {
    url: options.admin,
    get: async (path) => parseAnswer(options.admin, await request("GET", path)),
    getText: async (path) => (await request("GET", path)).text,
    post: async (path, body) => parseAnswer(options.admin, await request("POST", path, body)),
    async ready() {
      const answer = await send(options, "GET", "/readyz", null, undefined);
      if (answer.status === 200 || answer.status === 503) return answer.status === 200;
      throw refusal(options, answer);
    },
  };
}

/** A token, or why there is none. */
type Token = { readonly text: string } | { readonly text: null; readonly why: string };

/** The given token, the token file's, or the one that a gateway on this machine keeps. */
async function findToken(options: ConnectOptions): Promise<Token> {
  if (options.adminToken !== undefined) return { text: options.adminToken };
  if (options.tokenFile !== undefined) return { text: readTokenFile(options.tokenFile, "--token-file") };
  try {
    return { text: await readAdminToken(options.state) };
  } catch (error) {
    // Most reads on loopback need none; where one is needed, the refusal says what came of the search.
    return { text: null, why: error instanceof Error ? error.message : String(error) };
  }
}

/** Reads a secret from a file; `flag` names it in the error. Throws CliError 2. */
export function readTokenFile(path: string, flag: string): string {
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new CliError(`${flag}: ${path} cannot be read (${errorCode(error)})`, EXIT_USAGE);
  }
  if (token === "") throw new CliError(`${flag}: ${path} is empty; it must hold the token`, EXIT_USAGE);
  return token;
}

async function send(
  { admin: origin, signal }: ConnectOptions,
  method: string,
  path: string,
  token: string | null,
  body: unknown,
): Promise<Answer> {
  const json = body === undefined ? null : JSON.stringify(body);
  const headers = {
    accept: "application/json, text/markdown",
    ...(json === null
      ? {}
      : { "content-type": "application/json", "content-length": String(Buffer.byteLength(json)) }),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  const url = new URL(path, origin);
  const bounds = { timeoutMs: ANSWER_TIMEOUT_MS, maxAnswerBytes: MAX_ANSWER_BYTES, signal };
  try {
    return await exchange({ url, method, headers, body: json, ...bounds });
  } catch (error) {
    throw failure(origin, error);
  }
}

function failure(origin: string, error: unknown): CliError {
  if (error instanceof AnswerTooLarge)
    return new CliError(`${origin} answered with more than 128 MiB`, EXIT_NO);
  const code = errorCode(error);
  if (code === "ERR_INVALID_CHAR") {
    return new CliError("the admin token holds characters that no header may carry", EXIT_USAGE);
  }
  // What answers does not speak HTTP.
  if (code.startsWith("HPE_") || code === "EPROTO") return notAGateway(origin);
  return new CliError(unreachable(origin, error), EXIT_UNREACHABLE);
}

function unreachable(origin: string, error: unknown): string {
  if (error instanceof AnswerTimeout) {
    return `the gateway at ${origin} did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`;
  }
  const code = errorCode(error);
  const why = { ECONNREFUSED: "connection refused", ENOTFOUND: "no such host" }[code] ?? code;
  return (
    `no gateway answers at ${origin} (${printable(why)}). Start one with \`cutover serve\`, ` +
    "or say where its admin port is with --admin or CUTOVER_ADMIN"
  );
}

/** The short name of whatever went wrong: ECONNREFUSED … Node wraps the tries of several addresses in one error. */
function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

function parseAnswer(origin: string, answer: Answer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    throw notAGateway(origin);
  }
}

/** What listens there is something else: as good as no gateway. */
export function notAGateway(origin: string): CliError {
  return new CliError(
    `what answers at ${origin} is not a cutover admin port: check --admin`,
    EXIT_UNREACHABLE,
  );
}

function refusal(options: ConnectOptions, answer: Answer): CliError {
  const problem = readProblem(answer);
  // A gateway explains each refusal; an answer without an explanation came from something else.
  if (problem === undefined) return notAGateway(options.admin);
  const { sentence, extra } = problem;
  const listed = Array.isArray(extra.errors) ? extra.errors.filter((error) => typeof error === "string") : [];
  return new CliError([sentence, ...listed].join("\n"), EXIT_NO, { error: sentence, ...extra });
}

function unauthorized(options: ConnectOptions, token: Token): CliError {
  const found = token.text === null ? token.why : "the one that it was given is not its own";
  return new CliError(
    `the gateway at ${options.admin} asks for its admin token: ${found}. The token is in the file admin.token of ` +
      "the gateway's state folder: name that folder with --state, or give the token with --token-file or " +
      "CUTOVER_ADMIN_TOKEN",
    EXIT_NO,
  );
}

/** The sentence of an application/problem+json body, and what it holds beside RFC 9457's own members. */
function readProblem(
  answer: Answer,
): { readonly sentence: string; readonly extra: Readonly<Record<string, unknown>> } | undefined {
  let problem: unknown;
  try {
    problem = JSON.parse(answer.text);
  } catch {
    return undefined;
  }
  if (typeof problem !== "object" || problem === null) return undefined;
  const { type, title, status, detail, ...extra } = problem as Readonly<Record<string, unknown>>;
  const sentence = typeof detail === "string" ? detail : title;
  return typeof sentence === "string" ? { sentence, extra } : undefined;
}
