/** Where a thread's entry file is: beside this tree as .ts in a checkout, as .js in the published package. */
export function entryUrl(path: string): URL {
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return new URL(`../${path}${extension}`, import.meta.url);
}
