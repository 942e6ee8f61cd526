/** The rules in force, who loaded them, the backends and their health, and why a request goes where it goes. */

import { useState } from "preact/hooks";
import { formatAgo, formatShare } from "../../../model/figures.ts";
import type { BackendStatus, Explanation } from "../../../model/reports.ts";
import { useCell } from "./cell.ts";
import { wordsOf } from "./client.ts";
import { routeLink } from "./places.ts";
import { useRoom } from "./room.ts";
import { RulesError } from "./warnings.tsx";
import { clock, loadedBy, uptime, visible } from "./words.ts";

const MAX_BACKENDS = 100;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export function Rules() {
  const { report, audit, atMs } = useCell(useRoom().live.snapshot);
  if (report === null) return null;
  const { rules } = report;
  return (
    <>
      <h1>Rules</h1>
      <div class="columns">
        <section class="panel">
          <h2>In force</h2>
          <dl class="facts">
            <dt>version</dt>
            <dd>
              <code>{visible(rules.version)}</code>
            </dd>
            <dt>loaded</dt>
            <dd>
              {clock(Date.parse(rules.loadedAt), atMs)} ({formatAgo(rules.loadedAt, atMs)})
            </dd>
            <dt>by</dt>
            <dd>{loadedBy(report, audit ?? [], atMs)}</dd>
            <dt>gateway</dt>
            <dd>
              up {uptime(report.uptimeSeconds)}, {report.threads} threads, store {visible(report.store)}
            </dd>
          </dl>
          {rules.error === null ? (
            <p>✓ The files as they stand are in force.</p>
          ) : (
            <RulesError text={rules.error} />
          )}
        </section>
        <section class="panel">
          <h2>Backends</h2>
          <Backends backends={report.backends} />
        </section>
      </div>
      <section class="panel">
        <h2>Explain a request</h2>
        <ExplainForm />
      </section>
    </>
  );
}

function Backends({ backends }: { readonly backends: readonly BackendStatus[] }) {
  const rows = backends.flatMap(({ name, endpoints }) =>
    endpoints.map(({ url, healthy }) => ({ name, url, healthy })),
  );
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">name</th>
          <th scope="col">URL</th>
          <th scope="col">health</th>
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, MAX_BACKENDS).map(({ name, url, healthy }) => (
          <tr key={`${name} ${url}`}>
            <td>{visible(name, 120)}</td>
            <td class="mono">{visible(url)}</td>
            <td>{healthy === null ? "not checked" : healthy ? "✓ healthy" : "✕ fails its check"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ExplainForm() {
  const { client } = useRoom();
  const [method, setMethod] = useState("GET");
  const [url, setUrl] = useState("");
  const [fields, setFields] = useState("");
  const [answer, setAnswer] = useState<Explanation | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setAnswer(null);
    setRefusal(null);
    try {
      setAnswer(
        await client.post<Explanation>("api/v1/explain", {
          method,
          url: url.trim(),
          headers: headersOf(fields),
        }),
      );
    } catch (error) {
      setRefusal(wordsOf(error));
    }
  };
  return (
    <>
      <form class="explain" onSubmit={submit}>
        <label>
          Method
          <select value={method} onChange={(event) => setMethod(event.currentTarget.value)}>
            {METHODS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          Path, or a whole URL where the host matters
          <input
            name="url"
            required
            value={url}
            placeholder="/profiles/7"
            autocomplete="off"
            onInput={(event) => setUrl(event.currentTarget.value)}
          />
        </label>
        <label>
          Headers, one “name: value” a line
          <textarea rows={2} value={fields} onInput={(event) => setFields(event.currentTarget.value)} />
        </label>
        <button type="submit" class="act">
          Explain
        </button>
      </form>
      <div role="status">
        {refusal !== null && <p class="refusal">{visible(refusal, 600)}</p>}
        {answer !== null && <Answer answer={answer} />}
      </div>
    </>
  );
}

function Answer({ answer }: { readonly answer: Explanation }) {
  const { route, side, reason, backend, key, bucket, canary, shadow, steps } = answer;
  return (
    <>
      <p class="effect">
        {side === null ? "No side is known beforehand" : `Goes to ${side}`}
        {backend !== null && ` (${visible(backend, 120)})`}: {visible(reason, 300)}
      </p>
      <dl class="facts">
        <dt>route</dt>
        <dd>{route === null ? "none matches" : <a href={routeLink(route)}>{visible(route, 120)}</a>}</dd>
        <dt>key</dt>
        <dd>{key === null ? "none" : `${visible(key.value, 200)} (from ${visible(key.source, 120)})`}</dd>
        {bucket !== null && (
          <>
            <dt>bucket</dt>
            <dd>
              {formatShare(bucket)}; new gets those below {formatShare(canary)}
            </dd>
          </>
        )}
        <dt>shadow</dt>
        <dd>{visible(shadow, 300)}</dd>
      </dl>
      <ol>
        {steps.slice(0, 40).map((each, index) => (
          <li key={index}>
            {visible(each.step, 200)} <b>{visible(each.outcome, 400)}</b>
          </li>
        ))}
      </ol>
    </>
  );
}

/** A name that is written twice has both values. */
function headersOf(text: string): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (line.trim() === "") continue;
    const name = (colon < 0 ? line : line.slice(0, colon)).trim();
    const value = colon < 0 ? "" : line.slice(colon + 1).trim();
    headers[name] = [...(headers[name] ?? []), value];
  }
  return headers;
}
