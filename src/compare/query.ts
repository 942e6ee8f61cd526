/** Query parameters that nobody may see, taken out of request targets and of fields that hold links. */

import { REDACTED } from "./redact.ts";

/** A parameter: in a target its value goes on to the next one, whatever it holds. */
const IN_TARGET = /([?&])([^=&?#]*)=([^&#]*)/g;
/** In a field a link ends at a space or an angle bracket; it may hold its parameters in the fragment too. */
const IN_FIELD = /([?&#])([^=&?#\s<>]*)=([^&#\s<>]*)/g;

/** A request target with the values of those parameters (names decoded, case counts) as "[redacted]". */
export function redactTarget(target: string, names: readonly string[]): string {
  return redact(target, names, IN_TARGET);
}

/** A field's value with those parameters redacted in every link it holds. */
export function redactLinks(value: string, names: readonly string[]): string {
  return redact(value, names, IN_FIELD);
}

function redact(text: string, names: readonly string[], pattern: RegExp): string {
  if (names.length === 0) return text;
  return text.replace(pattern, (whole: string, separator: string, name: string, value: string) =>
    names.includes(decoded(name)) || holdsParameter(`${name}=${value}`, names)
      ? `${separator}${name}=${REDACTED}`
      : whole,
  );
}

/** A link within a link, encoded once or twice, or parameters set apart by semicolons: all of it goes. */
function holdsParameter(text: string, names: readonly string[]): boolean {
  const plain = decoded(decoded(text));
  return names.some((name) =>
    ["?", "&", ";", "#"].some((separator) => plain.includes(`${separator}${name}=`)),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
