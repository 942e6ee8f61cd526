/** text/event-stream (WHATWG server-sent events), as an array: `$[3].data.price` is of the fourth event. */

import { parsePath } from "../model/jsonpath.ts";
import { parseJson } from "./json.ts";
import { readJoined } from "./ndjson.ts";
import { hasTooManyNodes, MAX_NODES, type Reading } from "./reading.ts";

const UNREAD = parsePath("$[*].data");

/** The JSON text of each event that is there from its first line to the empty one that ends it. */
type EventTexts =
  | { readonly kind: "events"; readonly items: readonly string[] }
  | { readonly kind: "too_deep" | "too_large" };

/**
 * Each event is `{event, id?, retry?, data}`: data is a value where it holds a JSON object or array, else a text.
 * Comments are left out, and so is what follows the last whole event: no client is told of it.
 */
export function readEvents(text: string): Reading {
  const events = eventTexts(text);
  return events.kind === "events" ? readJoined(events.items, UNREAD) : events;
}

/**
 * Two streams up to where both were seen. A stream that was cut says nothing of what comes after its last whole
 * event. Null: not even one event can be compared.
 */
export function readStreams(
  old: { readonly text: string; readonly cut: boolean },
  fresh: { readonly text: string; readonly cut: boolean },
): { readonly old: Reading; readonly new: Reading } | null {
  const oldEvents = eventTexts(old.text);
  const newEvents = eventTexts(fresh.text);
  if (oldEvents.kind !== "events") return { old: oldEvents, new: oldEvents };
  if (newEvents.kind !== "events") return { old: newEvents, new: newEvents };
  const oldSeen = old.cut ? oldEvents.items.length : Number.POSITIVE_INFINITY;
  const newSeen = fresh.cut ? newEvents.items.length : Number.POSITIVE_INFINITY;
  const seen = Math.min(oldSeen, newSeen);
  if (seen === 0) return null;
  return {
    old: readJoined(oldEvents.items.slice(0, seen), UNREAD),
    new: readJoined(newEvents.items.slice(0, seen), UNREAD),
  };
}

interface Fields {
  readonly data: string[];
  event: string | null;
  id: string | null;
  retry: string | null;
}

function eventTexts(text: string): EventTexts {
  if (hasTooManyNodes(text)) return { kind: "too_large" };
  const items: string[] = [];
  let fields: Fields | null = null;
  const lines = text.split(/\r\n|\r|\n/);
  // What follows the last line end is no line yet.
  lines.pop();
  if (lines.length > 2 * MAX_NODES) return { kind: "too_large" };
  for (const line of lines) {
    if (line !== "") {
      fields = addLine(fields, line);
    } else if (fields !== null) {
      const item = eventText(fields);
      if (item === null) return { kind: "too_deep" };
      items.push(item);
      fields = null;
    }
  }
  return { kind: "events", items };
}

function addLine(known: Fields | null, line: string): Fields | null {
  const colon = line.indexOf(":");
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
  const fields = known ?? { data: [], event: null, id: null, retry: null };
  if (name === "data") fields.data.push(value);
  else if (name === "event") fields.event = value;
  else if (name === "id") fields.id = value;
  else if (name === "retry") fields.retry = value;
  // A comment, or a field that clients are told to ignore.
  else return known;
  return fields;
}

/** Null: the data is nested too deep. */
function eventText({ data, event, id, retry }: Fields): string | null {
  const members = [`"event":${JSON.stringify(event || "message")}`];
  if (id !== null) members.push(`"id":${JSON.stringify(id)}`);
  if (retry !== null) members.push(`"retry":${JSON.stringify(retry)}`);
  if (data.length > 0) {
    const text = data.join("\n");
    // Only what cannot be taken for a text: `"12"` is data of four characters.
    const kind = /^\s*[[{]/.test(text) ? parseJson(text).kind : "not-json";
    if (kind === "too-deep") return null;
    members.push(`"data":${kind === "json" ? text : JSON.stringify(text)}`);
  }
  return `{${members.join(",")}}`;
}
