/** What to say to whoever wants two statuses that differ to be ignored. */

/** Null: these are no statuses that the rules could name. */
type StatusAdvice =
  /** `rule` is a field of `compare`. */
  | { readonly kind: "equal"; readonly rule: string }
  /** New fails: nothing to hide. */
  | { readonly kind: "failure"; readonly why: string }
  | null;

/** For the statuses of a difference, as texts; null where one is not known. */
export function statusAdvice(old: string | null, fresh: string | null): StatusAdvice {
  if (!isStatus(old) || !isStatus(fresh)) return null;
  if (fresh.startsWith("5")) {
    const why = `new answers ${fresh} where old answers ${old}: that is a failure of new, to be mended and not to be hidden`;
    return { kind: "failure", why };
  }
  return { kind: "equal", rule: `status: { equal: [{ old: ${old}, new: ${fresh} }] }` };
}

function isStatus(text: string | null): text is string {
  return text !== null && /^[1-5]\d\d$/.test(text);
}
