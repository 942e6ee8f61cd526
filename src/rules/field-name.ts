/** The names of fields of the rules as users would say them; apart, so that nobody loads a parser for them. */

/** "canary.share" of a route, "backends.modern.url" else: the name that users would say. */
export function fieldName(path: readonly (string | number)[]): string {
  const parts = path[0] === "routes" && path.length > 2 ? path.slice(2) : path;
  return parts.reduce<string>(nameWithin, "");
}

/** The name of a field within another; a JSONPath that is a field's name stands in brackets. */
export function nameWithin(name: string, part: string | number): string {
  if (typeof part === "number") return `${name}[${part}]`;
  if (name === "") return part;
  return part.startsWith("$") ? `${name}["${part}"]` : `${name}.${part}`;
}
