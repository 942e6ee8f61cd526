/** One pair of answers that differ: where, both side by side, how to ask again, how to hide it. */

import { useMemo, useState } from "preact/hooks";
import { curlLine } from "../../../model/curl.ts";
import { counted, formatAgo, formatCount } from "../../../model/figures.ts";
import type { AnswerSample, BackendStatus, Difference, MismatchSample } from "../../../model/reports.ts";
import type { Side } from "../../../model/ruleset.ts";
import { useAsked } from "./asked.ts";
import { useCell } from "./cell.ts";
import { ignoreAdvice } from "./ignore.ts";
import { SideName } from "./marks.tsx";
import { Value } from "./mismatches.tsx";
import { mismatchesLink, pairLink, routeLink } from "./places.ts";
import { useRoom } from "./room.ts";
import { type Piece, type Row, sideBySide } from "./side-by-side.ts";
import { visible, visibleLine } from "./words.ts";

const MAX_DIFFERENCES = 50;
const MAX_OTHERS = 8;
const MAX_HEADERS = 40;
const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

export function Pair({ id }: { readonly id: string }) {
  const { value, trouble } = useAsked<MismatchSample>(`api/v1/mismatches/${encodeURIComponent(id)}`, null);
  const { atMs } = useCell(useRoom().live.snapshot);
  if (value === null) {
    return (
      <>
        <h1>A pair</h1>
        {trouble === null ? <p>asking …</p> : <p class="refusal">{visible(trouble, 600)}</p>}
        <p>
          <a href={mismatchesLink(null)}>All mismatches</a>
        </p>
      </>
    );
  }
  return <PairInFull pair={value} nowMs={atMs} />;
}

function PairInFull({ pair, nowMs }: { readonly pair: MismatchSample; readonly nowMs: number }) {
  const { id, at, route, rulesVersion, requestId, method, target } = pair;
  return (
    <>
      <h1 class="mono-head">
        {visible(method, 30)} {visible(target, 300)}
      </h1>
      <p class="quiet">
        pair {id} of <a href={routeLink(route)}>{visible(route, 120)}</a>, {formatAgo(at, nowMs)}, rules{" "}
        {visible(rulesVersion)}, request {visible(requestId, 120)} ·{" "}
        <a href={mismatchesLink(route)}>all mismatches of the route</a>
      </p>
      <Others pair={pair} />
      <section class="panel cluster-group">
        <h2>{counted(pair.differences.length, "difference")}</h2>
        <Differences pair={pair} />
      </section>
      <section class="panel cluster-group">
        <h2>Side by side</h2>
        <Answers old={pair.old} fresh={pair.new} />
      </section>
      <section class="panel cluster-group">
        <h2>Ask both again</h2>
        <AskAgain pair={pair} />
      </section>
    </>
  );
}

function Others({ pair }: { readonly pair: MismatchSample }) {
  const [cluster = ""] = pair.clusters;
  const { value } = useAsked<MismatchSample[]>(`api/v1/samples?cluster=${encodeURIComponent(cluster)}`, null);
  const others = (value ?? []).filter(({ id }) => id !== pair.id).slice(0, MAX_OTHERS);
  if (cluster === "" || others.length === 0) return null;
  return (
    <p class="quiet">
      others of the same sort:{" "}
      {others.map(({ id }) => (
        <>
          <a key={id} href={pairLink(id)}>
            pair {id}
          </a>{" "}
        </>
      ))}
    </p>
  );
}

function Differences({ pair: { differences, route } }: { readonly pair: MismatchSample }) {
  const [asked, setAsked] = useState<number | null>(null);
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">place</th>
          <th scope="col">kind</th>
          <th scope="col">old</th>
          <th scope="col">new</th>
          <th scope="col">rules</th>
        </tr>
      </thead>
      <tbody>
        {differences.slice(0, MAX_DIFFERENCES).map((each, index) => (
          <>
            <tr key={index}>
              <td class="place">{visible(each.place)}</td>
              <td data-name="kind">
                {each.kind}
                {each.relation !== null && <span class="note">{visible(each.relation, 120)}</span>}
              </td>
              <td data-name="old">
                <Value side="old" text={each.old} />
              </td>
              <td data-name="new">
                <Value side="new" text={each.new} />
              </td>
              <td>
                <button
                  type="button"
                  aria-expanded={asked === index}
                  onClick={() => setAsked(asked === index ? null : index)}
                >
                  Ignore this
                  <span class="hidden"> {visible(each.place, 120)}</span>
                </button>
              </td>
            </tr>
            {asked === index && (
              <tr key={`${index} advice`}>
                <td colSpan={5}>
                  <Advice route={route} difference={each} />
                </td>
              </tr>
            )}
          </>
        ))}
        {differences.length > MAX_DIFFERENCES && (
          <tr>
            <td colSpan={5}>… and {formatCount(differences.length - MAX_DIFFERENCES)} more</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Advice({ route, difference }: { readonly route: string; readonly difference: Difference }) {
  const { command, yaml, better } = ignoreAdvice(route, difference);
  return (
    <div class="advice">
      {better !== null && (
        <p>
          <b>{yaml === null ? "Not to be ignored:" : "Better:"}</b> {visible(better, 600)}
        </p>
      )}
      {command !== null && (
        <>
          <p>Prints the patch of your rules, and what it would hide besides:</p>
          <Code text={command} label="command" />
        </>
      )}
      {yaml !== null && (
        <>
          <p>By hand, in the rules:</p>
          <Code text={yaml} label="lines of the rules" />
        </>
      )}
    </div>
  );
}

/** Text to be copied: each line is shown as it is but for what cannot be seen. */
function Code({ text, label }: { readonly text: string; readonly label: string }) {
  const { tell } = useRoom();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      tell(`the ${label} is copied`);
    } catch {
      tell("this browser does not let a page copy here: mark the text and copy it");
    }
  };
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre class="wraps" tabIndex={0}>
        {text
          .split("\n")
          .map((line) => visible(line, 20_000))
          .join("\n")}
      </pre>
      <button type="button" aria-label={`Copy the ${label}`} onClick={copy}>
        Copy
      </button>
    </div>
  );
}

function Answers({ old, fresh }: { readonly old: AnswerSample; readonly fresh: AnswerSample }) {
  const { rows, isCut } = useMemo(() => sideBySide(old, fresh), [old, fresh]);
  const hasBodies = old.body !== null && fresh.body !== null;
  return (
    <>
      <div class="change">
        <AnswerHead side="old" answer={old} />
        <AnswerHead side="new" answer={fresh} />
      </div>
      {!hasBodies && (
        <p class="quiet">At least one body is no text, or could not be redacted: it was not kept.</p>
      )}
      {hasBodies && (
        <section class="scroll" aria-label="Both bodies" {...{ tabIndex: 0 }}>
          <table class="delta">
            <thead>
              <tr>
                <th scope="col" class="sign">
                  <span class="hidden">differs</span>
                </th>
                <th scope="col">old</th>
                <th scope="col">new</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                <DeltaRow key={index} row={row} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {isCut && <p class="quiet">The bodies go on: cutover mismatches --show shows more of them.</p>}
    </>
  );
}

function AnswerHead({ side, answer }: { readonly side: Side; readonly answer: AnswerSample }) {
  const { status, headers, body, bodyBytes, whole } = answer;
  return (
    <div>
      <h3>
        <SideName side={side} />: {status}, {formatCount(bodyBytes)} bytes{!whole && body !== null && ", cut"}
      </h3>
      {Object.entries(headers)
        .slice(0, MAX_HEADERS)
        .map(([name, value]) => (
          <div key={name} class="mono">
            {visible(name, 120)}: {visible(value, 600)}
          </div>
        ))}
    </div>
  );
}

function DeltaRow({ row }: { readonly row: Row }) {
  if (row.kind === "skipped") {
    return (
      <tr class="skipped">
        <td colSpan={3}>{counted(row.lines, "equal line")}</td>
      </tr>
    );
  }
  if (row.kind === "same") {
    return (
      <tr>
        <td class="sign" />
        <td>{visibleLine(row.text)}</td>
        <td>{visibleLine(row.text)}</td>
      </tr>
    );
  }
  return (
    <tr>
      <td class="sign">{row.old === null ? "+" : row.new === null ? "−" : "≠"}</td>
      <PieceCell side="old" piece={row.old} />
      <PieceCell side="new" piece={row.new} />
    </tr>
  );
}

function PieceCell({ side, piece }: { readonly side: Side; readonly piece: Piece | null }) {
  if (piece === null) return <td />;
  return (
    <td class={`differs-${side}`}>
      {visibleLine(piece.before)}
      {piece.differs !== "" && <mark>{visibleLine(piece.differs)}</mark>}
      {visibleLine(piece.after)}
    </td>
  );
}

function AskAgain({ pair }: { readonly pair: MismatchSample }) {
  const { report } = useCell(useRoom().live.snapshot);
  const { method, target, requestHeaders, route } = pair;
  const names = report?.routes.find(({ name }) => name === route)?.backends;
  const origin = (side: Side): string =>
    urlOf(report?.backends ?? [], names?.[side] ?? null) ?? `http://${side.toUpperCase()}-BACKEND`;
  const line = (side: Side): string =>
    curlLine({ origin: origin(side), method, target, headers: requestHeaders });
  return (
    <>
      <h3>
        <SideName side="old" />
      </h3>
      <Code text={line("old")} label="command for old" />
      <h3>
        <SideName side="new" />
      </h3>
      <Code text={line("new")} label="command for new" />
      <p class="quiet">
        Credentials are never kept: add them where the route asks for them.
        {!SAFE_METHODS.includes(method) &&
          ` A ${visible(method, 30)} may change something each time it is asked, and its body was not kept.`}
      </p>
    </>
  );
}

function urlOf(backends: readonly BackendStatus[], name: string | null): string | null {
  return backends.find((backend) => backend.name === name)?.endpoints[0]?.url ?? null;
}
