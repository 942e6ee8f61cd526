/** The views and their addresses, all in the fragment, so that the gateway serves one page. */

import { useEffect, useState } from "preact/hooks";

export type Place =
  | { readonly kind: "overview" }
  | { readonly kind: "route"; readonly name: string }
  | { readonly kind: "mismatches"; readonly route: string | null }
  /** By the id of a cluster (its newest pair) or of a pair. */
  | { readonly kind: "pair"; readonly id: string }
  | { readonly kind: "rules" };

export function routeLink(name: string): string {
  return `#/routes/${encodeURIComponent(name)}`;
}

export function mismatchesLink(route: string | null): string {
  return route === null ? "#/mismatches" : `#/mismatches/${encodeURIComponent(route)}`;
}

export function pairLink(id: string | number): string {
  return `#/pairs/${encodeURIComponent(String(id))}`;
}

function placeOf(hash: string): Place {
  const [, view = "", argument] = hash.replace(/^#/, "").split("/");
  const text = argument === undefined || argument === "" ? null : decoded(argument);
  if (view === "routes" && text !== null) return { kind: "route", name: text };
  if (view === "mismatches") return { kind: "mismatches", route: text };
  if (view === "pairs" && text !== null) return { kind: "pair", id: text };
  return view === "rules" ? { kind: "rules" } : { kind: "overview" };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The place in the address bar. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = (): void => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}
