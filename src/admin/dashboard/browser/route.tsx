/** One route in full: who serves, whether new is as good, what it waits for, how it went, what was done. */

import { counted, formatCount } from "../../../model/figures.ts";
import type { RollbackReport, RouteStatus } from "../../../model/reports.ts";
import { ActionButton, actionsFor } from "./act.tsx";
import { AuditTable } from "./audit-table.tsx";
import { useCell } from "./cell.ts";
import { Charts } from "./charts.tsx";
import { SideName, StateBadge, ToneMark } from "./marks.tsx";
import { LargestMismatches } from "./mismatches.tsx";
import { mismatchesLink } from "./places.ts";
import { useRoom } from "./room.ts";
import { StageBar } from "./stage-bar.tsx";
import { TrafficBar } from "./traffic-bar.tsx";
import { differing, judgedPairs, ms, opinionOf, storyOf, takenBack, uptime, visible } from "./words.ts";

const GATE_SIGNS = { yes: "✓ yes", no: "✕ no", error: "! no answer" } as const;

export function RouteView({ name }: { readonly name: string }) {
  const { report, rates, audit, atMs } = useCell(useRoom().live.snapshot);
  if (report === null) return null;
  const route = report.routes.find((each) => each.name === name);
  if (route === undefined) {
    return (
      <>
        <h1>{visible(name, 120)}</h1>
        <p>
          The rules name no route like this. <a href="#/">All routes</a>
        </p>
      </>
    );
  }
  const entries = audit?.filter((entry) => entry.route === name || entry.route === null);
  return (
    <>
      <div class="route-head">
        <h1>{visible(name, 120)}</h1>
        <StateBadge state={route.state} />
        <div class="actions">
          {actionsFor(route).map((action) => (
            <ActionButton key={action} action={action} route={route} />
          ))}
        </div>
      </div>
      {route.rollback !== null && <Latch rollback={route.rollback} nowMs={atMs} />}
      <div class="columns">
        <section class="panel">
          <h2>Who serves whom</h2>
          <TrafficBar route={route} rates={rates.get(name)} />
          <Stages route={route} />
        </section>
        <Verdict route={route} />
        <Counts route={route} />
      </div>
      <LargestMismatches key={name} route={name} nowMs={atMs} />
      <Charts route={route} />
      <section class="panel">
        <h2>What was done</h2>
        {entries === undefined ? (
          <p class="quiet">asking …</p>
        ) : (
          <AuditTable entries={entries} nowMs={atMs} />
        )}
      </section>
    </>
  );
}

function Latch({ rollback, nowMs }: { readonly rollback: RollbackReport; readonly nowMs: number }) {
  const { reason, evidence } = rollback;
  return (
    <section class="latch" aria-label="Rolled back">
      <h2>
        <span class="badge state-rolled-back">
          <span aria-hidden="true">⬣</span> ROLLED BACK
        </span>{" "}
        since {takenBack(rollback, nowMs)}
      </h2>
      {evidence.summary !== "" && <p>{visible(evidence.summary, 1_000)}</p>}
      {reason !== evidence.summary && <p>{visible(reason, 600)}</p>}
      <p class="quiet">
        Everything is on old, and stays there until a reset. Seen then: old {formatCount(evidence.errors.old)}{" "}
        errors of {formatCount(evidence.samples.old)}, new {formatCount(evidence.errors.new)} of{" "}
        {formatCount(evidence.samples.new)}; rules {visible(evidence.rulesVersion)}.
      </p>
    </section>
  );
}

function Stages({ route }: { readonly route: RouteStatus }) {
  const { bake, step, steps } = route;
  return (
    <>
      <h3 class="gap">{step === null ? "Shares" : `Step ${step} (the last is ${(steps ?? 1) - 1})`}</h3>
      <StageBar route={route} />
      {bake !== null && bake.ofSeconds > 0 && !route.latched && (
        <p class="quiet">
          baked {uptime(Math.min(bake.doneSeconds, bake.ofSeconds))} of {uptime(bake.ofSeconds)}
        </p>
      )}
    </>
  );
}

function Verdict({ route }: { readonly route: RouteStatus }) {
  const opinion = opinionOf(route);
  const { next, seen } = storyOf(route);
  const evidence = Object.entries(route.evidence);
  return (
    <section class="panel">
      <h2>Verdict, and what comes next</h2>
      <p>
        <ToneMark tone={opinion.tone} /> <b>{opinion.words}</b>{" "}
        <span class="quiet">(verdict: {route.verdict})</span>
      </p>
      <p>{next}</p>
      {seen !== "" && <p class="quiet seen">{seen}</p>}
      {route.gates.length > 0 && (
        <ul class="gates">
          {route.gates.map(({ name, answer, why }) => (
            <li key={name}>
              gate <b>{visible(name, 120)}</b>: {GATE_SIGNS[answer]}
              {why !== "" && <span class="quiet"> ({visible(why, 300)})</span>}
            </li>
          ))}
        </ul>
      )}
      {evidence.length > 0 && (
        <table>
          <caption class="quiet">Evidence against new: 1 rolls back</caption>
          <tbody>
            {evidence.slice(0, 12).map(([metric, value]) => (
              <tr key={metric}>
                <th scope="row">{visible(metric)}</th>
                <td>
                  <meter
                    min={0}
                    max={1}
                    low={0.5}
                    high={0.99}
                    optimum={0}
                    value={Math.min(value, 1)}
                    aria-label={`evidence ${visible(metric)}`}
                  />
                </td>
                <td class="number">{value.toFixed(2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Counts({ route }: { readonly route: RouteStatus }) {
  const { requests, errors, latencyMs, comparisons, shadows, fallbacks, pins } = route;
  const latency = (value: { readonly p50: number; readonly p99: number } | null): string =>
    value === null ? "–" : `${ms(value.p50)} / ${ms(value.p99)}`;
  const judged = judgedPairs(route);
  const lost = shadows.shed + shadows.too_large + shadows.timeout + shadows.failed;
  const why = Object.entries(route.uncompared)
    .filter(([, value]) => value > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([name, value]) => `${formatCount(value)} ${name.replaceAll("_", " ")}`)
    .join(", ");
  return (
    <section class="panel">
      <h2>Numbers</h2>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col" class="number">
              <SideName side="old" />
            </th>
            <th scope="col" class="number">
              <SideName side="new" />
            </th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">backend</th>
            <td class="number">{visible(route.backends?.old ?? "–", 60)}</td>
            <td class="number">{visible(route.backends?.new ?? "–", 60)}</td>
          </tr>
          <tr>
            <th scope="row">requests</th>
            <td class="number" data-number="requests-old">
              {formatCount(requests.old)}
            </td>
            <td class="number" data-number="requests-new">
              {formatCount(requests.new)}
            </td>
          </tr>
          <tr>
            <th scope="row">errors</th>
            <td class="number" data-number="errors-old">
              {formatCount(errors.old)}
            </td>
            <td class="number" data-number="errors-new">
              {formatCount(errors.new)}
            </td>
          </tr>
          <tr>
            <th scope="row">p50 / p99</th>
            <td class="number">{latency(latencyMs.old)}</td>
            <td class="number">{latency(latencyMs.new)}</td>
          </tr>
        </tbody>
      </table>
      <dl class="facts">
        <dt>compared</dt>
        <dd>
          <a href={mismatchesLink(route.name)} data-number="mismatches">
            {formatCount(comparisons.mismatch)} differ
          </a>{" "}
          {judged.isAnew ? `in all; ${formatCount(judged.mismatches)} ${differing(route)}` : differing(route)}
          {comparisons.noise > 0 && `, ${formatCount(comparisons.noise)} noise`}
          {comparisons.transient > 0 && `, ${formatCount(comparisons.transient)} transient`}
          {comparisons.uncompared > 0 && `, ${formatCount(comparisons.uncompared)} uncompared (${why})`}
        </dd>
        <dt>shadows</dt>
        <dd>
          {formatCount(shadows.sent)} sent
          {lost > 0 &&
            `; ${formatCount(shadows.shed)} shed, ${formatCount(shadows.too_large)} too large, ${formatCount(shadows.timeout)} timeout, ${formatCount(shadows.failed)} failed`}
        </dd>
        <dt>fallbacks</dt>
        <dd>{formatCount(fallbacks)}</dd>
        <dt>pins</dt>
        <dd>{pins === 0 ? "none" : `${counted(pins, "key")}, whatever the shares say`}</dd>
      </dl>
    </section>
  );
}
