/** A request as a curl command that a person may paste into a shell, whatever the request holds. */

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export interface CurlRequest {
  /** Such as "http://127.0.0.1:9001". */
  readonly origin: string;
  readonly method: string;
  /** As it was sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * One line that asks `origin` the same. Everything from the request is quoted, so that neither the shell nor curl
 * itself (its globs, its @files, its own reading of "..", "#" and empty fields) makes something else of it.
 */
export function curlLine({ origin, method, target, headers }: CurlRequest): string {
  const fields = Object.entries(headers).filter(([name]) => TOKEN.test(name));
  const options = [
    "-isS",
    // An answer in an encoding that was asked for is no text.
    ...(fields.some(([name]) => name.toLowerCase() === "accept-encoding") ? ["--compressed"] : []),
    ...methodOption(method),
    ...fields.flatMap(([name, value]) => ["-H", shellQuoted(headerLine(name, value))]),
  ];
  // A target that is no path, or that curl would shorten, goes out as it is beside the origin.
  if (!target.startsWith("/") || target.includes("#")) {
    const words = ["--request-target", shellQuoted(target), shellQuoted(`${origin}/`)];
    return ["curl", ...options, ...words].join(" ");
  }
  const dots = /\/\.{1,2}(?:[/?]|$)/.test(target) ? ["--path-as-is"] : [];
  const globs = /[[\]{}]/.test(target) ? ["--globoff"] : [];
  return ["curl", ...options, ...dots, ...globs, shellQuoted(origin + target)].join(" ");
}

function methodOption(method: string): string[] {
  if (method === "GET") return [];
  // With -X HEAD curl would wait for a body.
  return method === "HEAD" ? ["--head"] : ["-X", shellQuoted(method)];
}

/** curl takes "name:" for "do not send it", and "name;" for an empty one. */
function headerLine(name: string, value: string): string {
  return value.trim() === "" ? `${name};` : `${name}: ${value}`;
}

/**
 * One word for bash and zsh, and for every sh where it is plain ASCII. What is not plain ASCII is spelled out ($'\033'), so that what is seen is what is
 * pasted: characters up to U+00FF are the bytes that header fields carry, those beyond it are UTF-8.
 */
export function shellQuoted(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  if (/^[\x20-\x7e]*$/.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const spelled = Array.from(text, (character) => {
    // A quote, a backslash, and what an interactive shell takes for its history are spelled out too.
    if (/^[\x20-\x7e]$/.test(character) && !/['\\!]/.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    const bytes = code <= 0xff ? [code] : [...new TextEncoder().encode(character)];
    // Three octal digits: after \x a letter of the text could be taken for one more digit.
    return bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  });
  return `$'${spelled.join("")}'`;
}
