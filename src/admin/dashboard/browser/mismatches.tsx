/** Where new's answers differ from old's: clusters, real ones first, as a list or by field. */

import { useState } from "preact/hooks";
import { counted, formatAgo, formatCount, formatMeasured } from "../../../model/figures.ts";
import type { MismatchCluster, RouteStatus } from "../../../model/reports.ts";
import { useAsked } from "./asked.ts";
import { useCell } from "./cell.ts";
import { type Field, fieldTree } from "./field-tree.ts";
import { mismatchesLink, pairLink, routeLink } from "./places.ts";
import { useRoom } from "./room.ts";
import { differing, judgedPairs, visible } from "./words.ts";

const MAX_CLUSTERS = 200;
const EVERY_MS = 10_000;
/** On a route's own page. */
const MAX_LARGEST = 3;

export function Mismatches({ route }: { readonly route: string | null }) {
  const { report, atMs } = useCell(useRoom().live.snapshot);
  const filter = route === null ? "" : `&route=${encodeURIComponent(route)}`;
  const { value, trouble } = useAsked<MismatchCluster[]>(
    `api/v1/mismatches?limit=${MAX_CLUSTERS}${filter}`,
    EVERY_MS,
  );
  const [byField, setByField] = useState(false);
  const clusters = value ?? [];
  const real = clusters.filter(({ noise }) => noise === null);
  const noisy = clusters.filter(({ noise }) => noise !== null);
  const routes = report?.routes ?? [];
  return (
    <>
      <h1>Mismatches{route !== null && ` of ${visible(route, 120)}`}</h1>
      <div class="range">
        <label class="inline">
          Route
          <select
            value={route ?? ""}
            onChange={(event) => {
              const { value: name } = event.currentTarget;
              location.hash = mismatchesLink(name === "" ? null : name);
            }}
          >
            <option value="">all</option>
            {routes.map(({ name }) => (
              <option key={name} value={name}>
                {visible(name, 120)}
              </option>
            ))}
          </select>
        </label>
        <button type="button" aria-pressed={!byField} onClick={() => setByField(false)}>
          By number
        </button>
        <button type="button" aria-pressed={byField} onClick={() => setByField(true)}>
          By field
        </button>
      </div>
      <Compared routes={routes.filter(({ name }) => route === null || name === route)} />
      {trouble !== null && <p class="refusal">{visible(trouble)}</p>}
      {value !== null && clusters.length === 0 && <p>No differences are known.</p>}
      {real.length > 0 && (
        <Group
          title="New differs from old"
          clusters={real}
          nowMs={atMs}
          byField={byField}
          withRoute={route === null}
        />
      )}
      {noisy.length > 0 && (
        <Group
          title="Noise: here old differs from itself"
          clusters={noisy}
          nowMs={atMs}
          byField={byField}
          withRoute={route === null}
        />
      )}
      {clusters.length === MAX_CLUSTERS && (
        <p class="quiet">Shown are the {MAX_CLUSTERS} largest: cutover mismatches lists more.</p>
      )}
    </>
  );
}

/** The largest of a route, for its own page; nothing where nothing differs. */
export function LargestMismatches({ route, nowMs }: { readonly route: string; readonly nowMs: number }) {
  const { value } = useAsked<MismatchCluster[]>(
    `api/v1/mismatches?limit=${MAX_LARGEST}&route=${encodeURIComponent(route)}`,
    EVERY_MS,
  );
  // Noise comes last: of as many there is none where there are as many real ones.
  const real = (value ?? []).filter(({ noise }) => noise === null);
  if (real.length === 0) return null;
  return (
    <section class="panel cluster-group">
      <h2>Where new differs, and since when</h2>
      <ClusterTable clusters={real} nowMs={nowMs} withRoute={false} />
      <p>
        <a href={mismatchesLink(route)}>all mismatches of the route</a>
      </p>
    </section>
  );
}

function Compared({ routes }: { readonly routes: readonly RouteStatus[] }) {
  const compared = routes.filter((route) => differing(route) !== "");
  return (
    <p class="quiet">
      {compared.length === 0
        ? "No pairs have been compared yet."
        : compared
            .slice(0, 8)
            .map(
              (route) =>
                `${visible(route.name, 60)}: ${formatCount(judgedPairs(route).mismatches)} differ ${differing(route)}`,
            )
            .join("; ")}
    </p>
  );
}

interface GroupProps {
  readonly title: string;
  readonly clusters: readonly MismatchCluster[];
  readonly nowMs: number;
  readonly byField: boolean;
  readonly withRoute: boolean;
}

function Group(props: GroupProps) {
  const { title, clusters, byField } = props;
  return (
    <section class="panel cluster-group">
      <h2>{title}</h2>
      {byField ? (
        <FieldList routes={Map.groupBy(clusters, ({ route }) => route)} {...props} />
      ) : (
        <ClusterTable {...props} />
      )}
    </section>
  );
}

type ClusterTableProps = Pick<GroupProps, "clusters" | "nowMs" | "withRoute">;

function ClusterTable({ clusters, nowMs, withRoute }: ClusterTableProps) {
  return (
    <table class="stack">
      <thead>
        <tr>
          {withRoute && <th scope="col">route</th>}
          <th scope="col">place</th>
          <th scope="col">kind</th>
          <th scope="col" class="number">
            pairs
          </th>
          <th scope="col">example: old → new</th>
          <th scope="col">since / last</th>
          <th scope="col">pair</th>
        </tr>
      </thead>
      <tbody>
        {clusters.map((cluster) => (
          <tr key={cluster.id}>
            {withRoute && (
              <td data-name="route">
                <a href={routeLink(cluster.route)}>{visible(cluster.route, 60)}</a>
              </td>
            )}
            <td class="place">{visible(cluster.place)}</td>
            <td data-name="kind">{cluster.kind}</td>
            <td class="number" data-name="pairs">
              {cluster.overcount > 0 ? "~" : ""}
              {formatCount(cluster.count)} ({formatMeasured(cluster.share)})
            </td>
            <td>
              <Example cluster={cluster} />
            </td>
            <td class="quiet">
              {formatAgo(cluster.firstAt, nowMs)} / {formatAgo(cluster.lastAt, nowMs)}
            </td>
            <td>
              <PairLink cluster={cluster} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function PairLink({ cluster }: { readonly cluster: MismatchCluster }) {
  if (cluster.samples.length === 0) return <span class="quiet">none kept</span>;
  return (
    <a href={pairLink(cluster.id)}>
      see one
      <span class="hidden">
        {" "}
        that differs at {visible(cluster.place, 120)}, {cluster.kind}
      </span>
    </a>
  );
}

function Example({
  cluster: { example, relation, transient, noise },
}: {
  readonly cluster: MismatchCluster;
}) {
  return (
    <>
      {(example.old !== null || example.new !== null) && (
        <>
          <Value side="old" text={example.old} /> → <Value side="new" text={example.new} />
        </>
      )}
      {noise !== null && (
        <span class="note">
          old differs from itself in {formatMeasured(noise.rate)} of {formatCount(noise.triples)}
        </span>
      )}
      {relation !== null && (
        <span class="note">
          {visible(relation.name, 120)} in {formatMeasured(relation.share)} of them
        </span>
      )}
      {transient !== null && <span class="note">{formatCount(transient.count)} equal when asked again</span>}
    </>
  );
}

export function Value({ side, text }: { readonly side: "old" | "new"; readonly text: string | null }) {
  return text === null ? (
    <span class="quiet">(nothing)</span>
  ) : (
    <span class={`value-${side}`}>{visible(text, 200)}</span>
  );
}

function FieldList({
  routes,
  withRoute,
  nowMs,
}: GroupProps & { readonly routes: ReadonlyMap<string, readonly MismatchCluster[]> }) {
  return (
    <>
      {[...routes].map(([route, clusters]) => (
        <div key={route}>
          {withRoute && <h3>{visible(route, 120)}</h3>}
          <ul class="tree">
            {fieldTree(clusters).map((field) => (
              <FieldNode key={field.name} field={field} nowMs={nowMs} />
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}

function FieldNode({ field, nowMs }: { readonly field: Field; readonly nowMs: number }) {
  return (
    <li>
      <span class="place">{visible(field.name)}</span>{" "}
      {field.clusters.length === 0 && (
        <span class="quiet">up to {counted(field.most, "pair")} at one place below</span>
      )}
      {field.clusters.map((cluster) => (
        <div key={cluster.id}>
          {cluster.kind}, <b class="number">{formatCount(cluster.count)}</b>{" "}
          {cluster.count === 1 ? "pair" : "pairs"} ({formatMeasured(cluster.share)}), last{" "}
          {formatAgo(cluster.lastAt, nowMs)}: <Example cluster={cluster} /> <PairLink cluster={cluster} />
        </div>
      ))}
      {field.fields.length > 0 && (
        <ul>
          {field.fields.map((each) => (
            <FieldNode key={each.name} field={each} nowMs={nowMs} />
          ))}
        </ul>
      )}
    </li>
  );
}
