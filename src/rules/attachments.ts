/** The files that rules name: key files and PEM texts. Each is read once, however many routes name it. */

import { createHash } from "node:crypto";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { KeyFile } from "../model/ruleset.ts";
import { KeyLineError, readKeyFile } from "./keyfile.ts";
import { fileProblem, type Problem } from "./problem.ts";
import { decodeUtf8, ReadError, readBounded } from "./read.ts";
import { type Place, problemAtPlace } from "./source-file.ts";

const MAX_PEM_BYTES = 2 ** 20;

export interface Attachments {
  /** Null: there was a problem, and it is noted. `place` is where the rules name the file. */
  keyFile(place: Place, reference: string): Promise<KeyFile | null>;
  pem(place: Place, reference: string): Promise<string | null>;
  readonly problems: readonly Problem[];
  /** Every file asked for, found or not. */
  readonly watched: ReadonlySet<string>;
  /** For each file the name that the rules call it by, and its digest; in no order. */
  readonly digests: readonly (readonly [string, string])[];
}

export function createAttachments(keyFileSecret: string): Attachments {
  const problems: Problem[] = [];
  const watched = new Set<string>();
  const digests: [string, string][] = [];
  const keyFiles = new Map<string, Promise<KeyFile | null>>();

  async function attempt<T>(
    place: Place,
    reference: string,
    read: (path: string) => Promise<{ value: T; digest: string }>,
  ): Promise<T | null> {
    const path = pathOf(place, reference);
    watched.add(resolve(path));
    try {
      const { value, digest } = await read(path);
      digests.push([reference, digest]);
      return value;
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      if (error instanceof KeyLineError) problems.push(fileProblem(path, error.message, error.line));
      else problems.push(problemAtPlace(place, `${reference}: ${error.message} (looked for ${path})`));
      return null;
    }
  }

  return {
    problems,
    watched,
    digests,
    keyFile(place, reference) {
      const path = resolve(pathOf(place, reference));
      const known = keyFiles.get(path);
      if (known) return known;
      const read = attempt(place, reference, async (file) => {
        const { keys, digest } = await readKeyFile(file, keyFileSecret);
        // Whole, as it is printed for rules that may be kept in another folder.
        return { value: { ...keys, path }, digest };
      });
      keyFiles.set(path, read);
      return read;
    },
    pem(place, reference) {
      return attempt(place, reference, async (file) => {
        const bytes = await readBounded(file, MAX_PEM_BYTES, "1MiB");
        const text = decodeUtf8(bytes);
        if (!text.includes("-----BEGIN "))
          throw new ReadError("it is not PEM: there is no -----BEGIN … line in it");
        return { value: text, digest: createHash("sha256").update(bytes).digest("hex") };
      });
    },
  };
}

function pathOf(place: Place, reference: string): string {
  return isAbsolute(reference) ? reference : join(dirname(place.file.path), reference);
}
