/** `${VAR}`, `${VAR:-default}` and `$$` in the scalars of rules. */

export type Env = Readonly<Record<string, string | undefined>>;

export type Substituted =
  | { readonly ok: true; readonly text: string; readonly used: readonly string[] }
  /** `isUnset`: a variable is well written, but not set. */
  | { readonly ok: false; readonly why: string; readonly isUnset: boolean };

const VARIABLE = /^\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/;

/**
 * Fills in variables. A default is taken when the variable is unset or empty, as in a shell. A dollar that
 * begins neither `${` nor `$$` stays: JSONPath (`$.a`) and regular expressions (`x$`) need no escape.
 */
export function substitute(text: string, env: Env): Substituted {
  const used: string[] = [];
  let result = "";
  for (let rest = text; ; ) {
    const dollar = rest.indexOf("$");
    if (dollar === -1) return { ok: true, text: result + rest, used };
    result += rest.slice(0, dollar);
    rest = rest.slice(dollar + 1);
    if (rest.startsWith("$")) {
      result += "$";
      rest = rest.slice(1);
    } else if (rest.startsWith("{")) {
      const match = VARIABLE.exec(rest);
      if (!match) return { ok: false, why: malformed(rest), isUnset: false };
      const [all, name = "", fallback] = match;
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value === undefined && fallback === undefined) {
        return {
          ok: false,
          isUnset: true,
          why: `\${${name}} is not set: set it, or give a default with \${${name}:-value}`,
        };
      }
      result += fallback !== undefined && !value ? fallback : (value ?? "");
      used.push(name);
      rest = rest.slice(all.length);
    } else {
      result += "$";
    }
  }
}

function malformed(rest: string): string {
  const shown = rest.slice(0, Math.min(40, rest.includes("}") ? rest.indexOf("}") + 1 : 40));
  return `$${shown} is no variable: write \${NAME}, \${NAME:-default}, or $$ for a dollar`;
}

/** A text with its variables, or as it is written where one of them is not set. */
export function filledIn(text: string, env: Env): string {
  const substituted = substitute(text, env);
  return substituted.ok ? substituted.text : text;
}

const INTEGER = /^[-+]?(?:0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** What YAML would have read, had the text been written there as it is; never a list or a block of fields. */
export function readPlainScalar(text: string): string | number | boolean {
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (INTEGER.test(text) || FLOAT.test(text)) return Number(text);
  return text;
}
