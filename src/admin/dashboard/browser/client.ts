/** The admin API, asked with the token. */

const TOKEN_KEY = "cutover.token";
/** Longer than the gateway takes to say why it does not answer. */
const ANSWER_TIMEOUT_MS = 25_000;
const CLOCK_SLACK_MS = 2_000;

/** The gateway said no; the message is its own. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  /** Further sentences, such as the errors of rules. */
  readonly details: readonly string[];

  constructor(status: number, message: string, details: readonly string[] = []) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

export interface Client {
  /** Paths are relative to the page. Rejects with Refused, or a TypeError where nobody answers. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  /** By the gateway's clock, which this machine's may differ from. */
  nowMs(): number;
  /** An event stream; `after` is the id of the last event seen. */
  stream(path: string, after: number | null, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

/** `onUnauthorized` hears of each answer that says that the token is wrong. */
export function createClient(token: string, onUnauthorized: (why: string) => void): Client {
  let aheadMs = 0;
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string> | undefined) },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    aheadMs = aheadOf(response, aheadMs);
    if (response.ok) return response;
    const refusal = await refusalOf(response);
    if (response.status === 401) onUnauthorized(refusal.message);
    throw refusal;
  };
  const timely = (): AbortSignal => AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  return {
    get: async (path) => (await ask(path, { signal: timely() })).json(),
    post: async (path, body) => {
      const init = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: timely(),
      };
      return (await ask(path, init)).json();
    },
    nowMs: () => Date.now() + aheadMs,
    async stream(path, after, signal) {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (after !== null) headers["last-event-id"] = String(after);
      const { body } = await ask(path, { headers, signal });
      if (body === null) throw new TypeError("the event stream has no body");
      return body;
    },
  };
}

/** How far the gateway's clock is ahead, as its answers say in whole seconds; less than two of them are none. */
function aheadOf(response: Response, knownMs: number): number {
  const saidMs = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(saidMs)) return knownMs;
  const aheadMs = saidMs + 500 - Date.now();
  if (Math.abs(aheadMs) < CLOCK_SLACK_MS) return 0;
  return Math.abs(aheadMs - knownMs) < CLOCK_SLACK_MS ? knownMs : aheadMs;
}

async function refusalOf(response: Response): Promise<Refused> {
  let problem: Partial<{ detail: unknown; errors: unknown }> = {};
  try {
    problem = await response.json();
  } catch {
    // A proxy between may answer with anything: its status has to do.
  }
  const detail = typeof problem.detail === "string" ? problem.detail : `answered ${response.status}`;
  const errors = Array.isArray(problem.errors) ? problem.errors.map(String) : [];
  return new Refused(response.status, detail, errors);
}

/** In words, for whatever an action may reject with. */
export function wordsOf(error: unknown): string {
  if (error instanceof Refused) return [error.message, ...error.details].join("\n");
  if (error instanceof DOMException && error.name === "TimeoutError")
    return "the gateway did not answer in time";
  return "the gateway cannot be reached";
}

/** The token of the link that `serve` prints (`/#token=…`), which is then taken out of the address; else the kept one. */
export function takeToken(): string | null {
  const match = /^#token=([^&]+)$/.exec(location.hash);
  if (match?.[1] === undefined) return keptToken();
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  const token = decoded(match[1]);
  keepToken(token);
  return token;
}

/** For this tab alone, until it is closed; null forgets it. */
export function keepToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(TOKEN_KEY);
    else sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // A browser that keeps nothing for pages: the token lasts until the page is loaded again.
  }
}

function keptToken(): string | null {
  try {
    return sessionStorage.getItem(TOKEN_KEY);
  } catch {
    return null;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
