/** Path templates: "/profiles/{id}" (one segment each), "/a/**" ("/a", "/a/" and all below), else exact. */

export interface PathTemplate {
  /** A literal text, or null for a parameter. */
  readonly segments: readonly (string | null)[];
  /** Names of the parameters by segment index. */
  readonly parameters: ReadonlyMap<string, number>;
  /** Ends in "/**". */
  readonly subtree: boolean;
}

/** Reads a template that rules/ has checked. */
export function parseTemplate(text: string): PathTemplate {
  const subtree = text.endsWith("/**");
  const parameters = new Map<string, number>();
  const segments = splitPath(subtree ? text.slice(0, -3) : text).map((segment, index) => {
    if (!segment.startsWith("{")) return segment;
    parameters.set(segment.slice(1, -1), index);
    return null;
  });
  return { segments, parameters, subtree };
}

/** "/a/b" → ["a", "b"]; "/" and "*" → [""]; "" → []. Raw: nothing is decoded, nothing is folded. */
export function splitPath(path: string): string[] {
  return path === "" ? [] : path.slice(1).split("/");
}

/** The text at a parameter's place, or undefined. */
export function pathParameter(template: PathTemplate, path: string, name: string): string | undefined {
  const index = template.parameters.get(name);
  return index === undefined ? undefined : splitPath(path)[index];
}
