/** "Did you mean": the nearest of the names that would have been right. */

/** The candidate nearest to what was written, or undefined when none is near enough to be meant. */
export function nearest(written: string, candidates: readonly string[]): string | undefined {
  const shortened = written.slice(0, 64);
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of candidates) {
    const distance = editDistance(shortened.toLowerCase(), name.toLowerCase());
    if (distance <= Math.max(1, Math.floor(Math.max(name.length, shortened.length) / 3))) {
      if (!best || distance < best.distance) best = { name, distance };
    }
  }
  return best?.name;
}

/** A clause for an error: "did you mean x?", or else the list of what there is. */
export function suggestion(written: string, candidates: readonly string[]): string {
  const near = nearest(written, candidates);
  if (near !== undefined) return `did you mean ${near}?`;
  if (candidates.length === 0) return "there is none yet";
  const shown = candidates.slice(0, 20);
  return `there is ${shown.join(", ")}${candidates.length > shown.length ? ", …" : ""}`;
}

/** Insertions, deletions, replacements, and swaps of neighbours, each 1. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
