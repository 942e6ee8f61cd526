/** What the fields of a rollout say against each other: shares that rise, gates that are whole and there. */

import { fieldName } from "./field-name.ts";
import type { MergedRoute } from "./merge.ts";
import type { Report } from "./resolve-backend.ts";
import { DEFAULT_EVERY_MS, GATE_TESTS, rolloutOf, stepShares } from "./resolve-rollout.ts";
import type { GateFields } from "./schema-rollout.ts";
import { type Path, type Place, valueAt } from "./source-file.ts";
import { nearest, suggestion } from "./suggest.ts";
import { formatDuration, formatShare } from "./units.ts";

export function checkRollout(route: MergedRoute, report: Report): void {
  const fields = rolloutOf(route.fields);
  if (fields === undefined) return;
  checkSteps(route, report);
  checkStepGates(route, report);
  for (const [name, gate] of Object.entries(fields.gates ?? {}))
    checkGate(route, ["rollout", "gates", name], gate, report);
}

function checkSteps(route: MergedRoute, report: Report): void {
  const { name, fields, placeOf } = route;
  const shares = stepShares(fields);
  if (shares.length === 0 && !isUnknown(route, "steps")) {
    const advice = "write steps: [{ shadow: 100%, bake: 10m }, { canary: 5%, bake: 30m }]";
    report(keyOf(placeOf(["rollout"])), `rollout of route ${name} has no steps: ${advice}`);
  }
  for (const [index, { canaryPpm }] of shares.entries()) {
    const before = shares[index - 1]?.canaryPpm ?? 0;
    if (canaryPpm >= before) continue;
    const place = placeOf(["rollout", "steps", index, "canary"]);
    const [step, stepBefore] = [index, index - 1].map((each) =>
      stepNumber(placeOf(["rollout", "steps", each])),
    );
    const why = `step ${step} serves less than step ${stepBefore} (${formatShare(before)}), and shares only rise`;
    report(
      place,
      `${fieldName(place.path)} is ${formatShare(canaryPpm)}: ${why}: write ${formatShare(before)} or more`,
    );
  }
}

/** As it was written: wrong steps are not among those that are looked at. */
const stepNumber = ({ path }: Place) => path.at(-1);

function checkStepGates(route: MergedRoute, report: Report): void {
  if (isUnknown(route, "gates")) return;
  const fields = rolloutOf(route.fields);
  const names = new Set(Object.keys(fields?.gates ?? {}));
  // One with mistakes is there all the same.
  for (const [block, gates, name] of route.wrong)
    if (block === "rollout" && gates === "gates" && name !== undefined) names.add(String(name));
  for (const [index, { gate }] of (fields?.steps ?? []).entries()) {
    const path: Path = ["rollout", "steps", index, "gate"];
    const named = typeof gate === "string" ? [{ name: gate, path }] : (gate ?? []).map(at(path));
    for (const [order, { name, path: written }] of named.entries()) {
      const place = route.placeOf(written);
      const is = `${fieldName(place.path)} is ${name}`;
      if (!names.has(name)) report(place, `${is}: there is no such gate: ${adviceFor(name, [...names])}`);
      else if (named.findIndex((other) => other.name === name) < order)
        report(place, `${is} once more: keep the first`);
    }
  }
}

const at = (path: Path) => (name: string, index: number) => ({ name, path: [...path, index] });

const adviceFor = (name: string, names: readonly string[]) =>
  names.length === 0 ? `write it under gates: { ${name}: { file: ${name} } }` : suggestion(name, names);

type GateKind = "http" | "prometheus" | "file" | "window" | "preflight";
type GateField = keyof GateFields;

/** For each kind the fields beside its own. */
const FIELDS: Readonly<Record<GateKind, readonly GateField[]>> = {
  http: ["path", ...GATE_TESTS, "every", "timeout"],
  prometheus: ["query", ...GATE_TESTS, "every", "timeout"],
  file: ["present", "every"],
  window: [],
  preflight: [],
};
const KINDS = Object.keys(FIELDS) as readonly GateKind[];

function checkGate(route: MergedRoute, path: Path, gate: GateFields, report: Report): void {
  const place = route.placeOf(path);
  const name = fieldName(place.path);
  const has = (field: GateField) => gate[field] !== undefined || isWrong(route, [...path, field]);
  // What is misspelt may be the very thing that seems to be missing.
  const isWhole = Object.keys(valueAt(place.file.data, place.path) ?? {}).every((field) =>
    Object.hasOwn(gate, field),
  );
  const lacks = (what: string) => {
    if (isWhole) report(place, `${name} has ${what}`);
  };
  const [kind, ...others] = KINDS.filter(has);
  if (kind === undefined) {
    lacks(`nothing to ask: write one of ${KINDS.join(", ")}, such as { file: backfill.done }`);
    return;
  }
  if (others.length > 0) {
    const both = [kind, ...others].join(" and ");
    report(
      place,
      `${name} has ${both}: keep one, and make another gate of the rest; a step may name several`,
    );
    return;
  }
  for (const field of Object.keys(gate) as GateField[]) {
    if (field === kind || FIELDS[kind].includes(field)) continue;
    const takers = KINDS.filter((each) => FIELDS[each].includes(field)).join(" and ");
    const fieldPlace = route.placeOf([...path, field]);
    report(
      keyOf(fieldPlace),
      `${fieldName(fieldPlace.path)} is for ${takers}, and this gate is ${kind}: take it out`,
    );
  }
  if (kind === "http" && !has("path")) lacks('no path: write path: "$.lagSeconds"');
  if (kind === "prometheus" && !has("query")) lacks("no query: write query: and one that gives one number");
  if (kind === "http" || kind === "prometheus") checkAsked(route, path, gate, kind, report, lacks);
}

/** Of gates that ask somebody else. */
function checkAsked(
  route: MergedRoute,
  path: Path,
  gate: GateFields,
  kind: "http" | "prometheus",
  report: Report,
  lacks: (what: string) => void,
): void {
  const place = route.placeOf(path);
  const tests = GATE_TESTS.filter((by) => gate[by] !== undefined || isWrong(route, [...path, by]));
  if (tests.length === 0) lacks(`no test: write one of ${GATE_TESTS.join(", ")}, such as below: 5`);
  if (tests.length > 1) {
    const advice = "keep one; for a range make two gates";
    report(place, `${fieldName(place.path)} has ${tests.join(" and ")}: ${advice}`);
  }
  if (kind === "prometheus" && gate.equals !== undefined && typeof gate.equals !== "number") {
    const equals = route.placeOf([...path, "equals"]);
    report(equals, `${fieldName(equals.path)} is ${gate.equals}, and a query gives a number: write a number`);
  }
  const everyMs = gate.every ?? DEFAULT_EVERY_MS;
  if (gate.timeout !== undefined && gate.timeout > everyMs && !isWrong(route, [...path, "every"])) {
    const timeout = route.placeOf([...path, "timeout"]);
    const [is, every] = [formatDuration(gate.timeout), formatDuration(everyMs)];
    report(
      timeout,
      `${fieldName(timeout.path)} is ${is}, and it is asked every ${every}: write at most ${every}`,
    );
  }
}

function isWrong({ wrong }: MergedRoute, path: Path): boolean {
  return wrong.some((each) => path.every((step, index) => step === each[index]));
}

/** Nothing can be said about a field of the rollout: what is there, or what may be meant for it, is wrong. */
function isUnknown({ wrong }: MergedRoute, field: "steps" | "gates"): boolean {
  return wrong.some(([block, inside, ...rest]) => {
    if (block !== "rollout" || rest.length > 0) return false;
    const meant = inside === undefined ? undefined : nearest(String(inside), ["start", "steps", "gates"]);
    return meant === undefined || meant === field;
  });
}

const keyOf = (place: Place): Place => ({ ...place, at: "key" });
