/** The admin token: given by the operator, or made once and kept in the state folder. */

import { randomBytes } from "node:crypto";
import { chmod, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StateFolderError, textOf, trouble } from "./errors.ts";
import { syncFolder } from "./files.ts";

const TOKEN_FILE = "admin.token";
const TOKEN_BYTES = 32;

/** What an Authorization header can carry as one word. */
const USABLE = /^[\x21-\x7e]{1,1024}$/;

/**
 * The token that the admin API shall ask for: `configured` (CUTOVER_ADMIN_TOKEN) where it is set, else the one
 * in the folder, else a new one of 32 random bytes, stored with mode 0600. Throws a StateFolderError.
 */
export async function adminToken(folder: string, configured: string | undefined): Promise<string> {
  if (configured !== undefined && configured !== "") {
    if (USABLE.test(configured)) return configured;
    throw new StateFolderError(
      "CUTOVER_ADMIN_TOKEN is not usable as a token: write up to 1024 visible ASCII characters without spaces",
    );
  }
  return (await storedToken(folder)) ?? (await makeToken(folder));
}

/** The token that the gateway of this folder keeps there, for a client on the same machine. */
export async function readAdminToken(folder: string): Promise<string> {
  const token = await storedToken(folder);
  if (token !== undefined) return token;
  throw new StateFolderError(`there is no admin token in ${folder}`);
}

async function storedToken(folder: string): Promise<string | undefined> {
  const path = join(folder, TOKEN_FILE);
  try {
    const token = (await readFile(path, "utf8")).trim();
    if (!USABLE.test(token)) {
      throw new StateFolderError(`${path} holds no usable token: remove it, and the gateway makes a new one`);
    }
    // A copied or restored folder may have lost the mode; the token is worth the repair.
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return token;
  } catch (error) {
    if (error instanceof StateFolderError) throw error;
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new StateFolderError(`the admin token ${path} cannot be read (${textOf(error)})`, { cause: error });
  }
}

/** Written beside and renamed: a crash leaves the whole token or none. */
async function makeToken(folder: string): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const draft = join(folder, `${TOKEN_FILE}.${process.pid}.draft`);
  try {
    const file = await open(draft, "w", 0o600);
    try {
      await file.writeFile(`${token}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(folder, TOKEN_FILE));
    syncFolder(folder);
  } catch (error) {
    await rm(draft, { force: true });
    throw new StateFolderError(
      `the state folder ${folder} ${trouble(error)}: no admin token can be kept there`,
      {
        cause: error,
      },
    );
  }
  return token;
}
