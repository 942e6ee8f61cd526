/** What one field cannot know alone: a route's fields against each other, against its backends and its key. */

import { parsePath } from "../model/jsonpath.ts";
import { checkRollout } from "./checks-rollout.ts";
import { fieldName } from "./field-name.ts";
import type { MergedRoute } from "./merge.ts";
import type { Report } from "./resolve-backend.ts";
import type { MatcherFields, RouteFields } from "./schema.ts";
import { type Path, type Place, valueAt } from "./source-file.ts";
import { suggestion } from "./suggest.ts";
import { templateNames } from "./texts.ts";

type CompareFields = Exclude<RouteFields["compare"], "off" | undefined>;

/** RFC 9110 calls these safe: asking twice changes nothing. */
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Reports everything that is wrong with a merged route. `backends` are the names there are. */
export function checkRoute(route: MergedRoute, backends: readonly string[], report: Report): void {
  checkSides(route, backends, report);
  checkNeedsNew(route, report);
  checkKey(route, report);
  checkSplit(route, report);
  checkCanary(route, report);
  checkShadow(route, report);
  checkCompare(route, report);
  checkRollout(route, report);
}

function checkSides(
  { name, fields, placeOf, lacks }: MergedRoute,
  backends: readonly string[],
  report: Report,
): void {
  if (lacks("old")) {
    report(
      placeOf(["name"]),
      `route ${name} has no old: write old: and a backend's name, here or under defaults`,
    );
  }
  for (const side of ["old", "new"] as const) {
    const backend = fields[side];
    if (backend !== undefined && !backends.includes(backend)) {
      report(
        placeOf([side]),
        `${side} is ${backend}: there is no such backend: ${suggestion(backend, backends)}`,
      );
    }
  }
  if (fields.old !== undefined && fields.old === fields.new) {
    report(
      placeOf(["new"]),
      `route ${name} has ${fields.new} as old and as new: two different backends are needed`,
    );
  }
}

function checkNeedsNew({ name, fields, placeOf, lacks }: MergedRoute, report: Report): void {
  if (!lacks("new")) return;
  for (const field of ["split", "canary", "shadow", "rollout"] as const) {
    if (lacks(field) || fields[field] === "off") continue;
    report(keyOf(placeOf([field])), `route ${name} has ${field} but no new: write new: and a backend's name`);
  }
}

function checkKey(route: MergedRoute, report: Report): void {
  const { name, fields, placeOf, isOwn } = route;
  const sources = fields.key ?? [];
  const match = fields.match === undefined ? [] : Array.isArray(fields.match) ? fields.match : [fields.match];
  const parameters = new Set(match.flatMap((condition) => templateNames(condition.path ?? "")));
  const pathsKnown = arePathsKnown(route);
  const seen = new Set<string>();
  for (const [index, source] of sources.entries()) {
    const place = placeOf(["key", index]);
    const text = "name" in source ? `${source.kind}:${source.name}` : source.kind;
    const field = fieldName(place.path);
    if (seen.has(text)) report(place, `${field} is ${text} once more: keep the first`);
    seen.add(text);
    if (source.kind === "assign" && !isLastOfList(place)) {
      report(place, `${field} is assign, which always finds a key: it can only be the last one`);
    }
    // A key under defaults may name what only some routes have.
    if (source.kind === "path" && pathsKnown && isOwn(["key"]) && !parameters.has(source.name)) {
      const known = [...parameters];
      const advice =
        known.length > 0 ? suggestion(source.name, known) : `write match: { path: "/…/{${source.name}}" }`;
      report(place, `${field} is ${text}: no path of route ${name} has {${source.name}}; ${advice}`);
    }
  }
  const isKeyWrong = route.wrong.some(([field]) => field === "key");
  if (!route.lacks("split") && sources.length === 0 && !isKeyWrong) {
    report(
      keyOf(placeOf(["split"])),
      `route ${name} has a split but no key to split by: write key: [header:x-tenant-id]`,
    );
  }
}

/** Of the list as it was written: what is wrong behind it is behind it all the same. */
function isLastOfList({ file, path }: Place): boolean {
  const list = valueAt(file.data, path.slice(0, -1));
  return !Array.isArray(list) || path.at(-1) === list.length - 1;
}

/** With a wrong path in `match`, or a misspelt one, nothing can be said about its parameters. */
function arePathsKnown({ wrong }: MergedRoute): boolean {
  const elsewhere = new Set<unknown>(["methods", "hosts", "headers", "query"]);
  return wrong.every((path) => path[0] !== "match" || path.slice(1, 3).some((step) => elsewhere.has(step)));
}

function checkSplit({ fields, placeOf }: MergedRoute, report: Report): void {
  const toNew = new Set(fields.split?.new);
  for (const [index, key] of (fields.split?.old ?? []).entries()) {
    if (!toNew.has(key)) continue;
    const place = placeOf(["split", "old", index]);
    report(place, `${fieldName(place.path)} is ${key}, which is in split.new too: keep one of the two`);
  }
}

function checkCanary({ fields, placeOf }: MergedRoute, report: Report): void {
  for (const list of ["always", "never"] as const) {
    for (const [index, matcher] of (fields.canary?.[list] ?? []).entries()) {
      checkMatcher(matcher, placeOf(["canary", list, index]), report);
    }
  }
}

function checkMatcher(matcher: MatcherFields, place: Place, report: Report): void {
  const field = fieldName(place.path);
  const written = Object.keys(valueAt(place.file.data, place.path) ?? {});
  // What is wrong in it may be the very thing that it lacks.
  const isWhole = written.every((name) => Object.hasOwn(matcher, name));
  const has =
    matcher.header !== undefined && matcher.cookie !== undefined
      ? "header and cookie"
      : isWhole && matcher.header === undefined && matcher.cookie === undefined
        ? "neither header nor cookie"
        : undefined;
  if (has !== undefined) {
    report(place, `${field} has ${has}: write one of the two, such as { header: x-canary, equals: "true" }`);
  }
  if (matcher.equals !== undefined && matcher.matches !== undefined) {
    report(place, `${field} has equals and matches: keep one of the two`);
  }
}

function checkShadow({ fields, placeOf, wrong }: MergedRoute, report: Report): void {
  const isAllowanceWrong = wrong.some(([block, field]) => block === "shadow" && field === "sideEffects");
  if (fields.shadow?.sideEffects === "allowed" || isAllowanceWrong) return;
  for (const [index, method] of (fields.shadow?.methods ?? []).entries()) {
    if (SAFE_METHODS.has(method)) continue;
    const why = "it changes things, and a shadow would change them twice";
    report(
      placeOf(["shadow", "methods", index]),
      `shadow.methods has ${method}: ${why}; if that is wanted, add sideEffects: allowed`,
    );
  }
}

function checkCompare(route: MergedRoute, report: Report): void {
  const { compare } = route.fields;
  if (compare === undefined || compare === "off") return;
  checkTolerance(compare, route, report);
  checkRenames(compare, route, report);
}

function checkTolerance(compare: CompareFields, { placeOf }: MergedRoute, report: Report): void {
  for (const [index, { absolute, relative }] of (compare.tolerance ?? []).entries()) {
    const place = placeOf(["compare", "tolerance", index]);
    const written = Object.keys(valueAt(place.file.data, place.path) ?? {});
    // What is wrong in it may be the very thing that it lacks.
    const isMissing = absolute === undefined && relative === undefined;
    if (!isMissing || written.includes("absolute") || written.includes("relative")) continue;
    const advice = "write absolute: 0.01, relative: 1%, or both";
    report(place, `${fieldName(place.path)} has neither absolute nor relative: ${advice}`);
  }
}

/** Of the merged route: one of the two may be that of the defaults. */
function checkRenames({ rename = {} }: CompareFields, { placeOf }: MergedRoute, report: Report): void {
  const taken = new Map<string, string>();
  for (const [old, fresh] of Object.entries(rename)) {
    // One name may be written in several ways: $.name, $['name'].
    const name = JSON.stringify(parsePath(fresh));
    const first = taken.get(name);
    if (first === undefined) {
      taken.set(name, old);
      continue;
    }
    const place = placeOf(["compare", "rename", old]);
    const why = `${first} gets this name already, and two cannot have it: keep one of the two`;
    report(place, `${fieldName(place.path)} is ${fresh}: ${why}`);
  }
}

const keyOf = (place: Place): Place => ({ ...place, at: "key" });

/** A `path:id` under defaults that no route at all can fill in is a slip of the pen. */
export function checkDefaultKey(routes: readonly MergedRoute[], report: Report): void {
  // With a broken match among them nothing can be said.
  if (routes.some((route) => route.fields.match === undefined && !route.lacks("match"))) return;
  const users = routes.filter((route) => !route.isOwn(["key"]) && (route.fields.key?.length ?? 0) > 0);
  const [first] = users;
  for (const [index, source] of (first?.fields.key ?? []).entries()) {
    if (source.kind !== "path") continue;
    const path: Path = ["key", index];
    const isKnown = users.some(({ fields: { match } }) =>
      (match === undefined ? [] : Array.isArray(match) ? match : [match]).some((condition) =>
        templateNames(condition.path ?? "").includes(source.name),
      ),
    );
    if (!isKnown && first)
      report(
        first.placeOf(path),
        `defaults.key[${index}] is path:${source.name}: no route's path has {${source.name}}`,
      );
  }
}
