/** Makes the dashboard's two files from the sources in browser/. Needs esbuild, so only a checkout can. */

import { fileURLToPath } from "node:url";

const ENTRY = new URL("browser/main.tsx", import.meta.url);

export interface Bundle {
  readonly script: Buffer;
  readonly style: Buffer;
}

/** Bundles for current browsers, minified. Rejects with what esbuild says; nothing is written, nothing is left running. */
export async function bundleDashboard(): Promise<Bundle> {
  const esbuild = await import("esbuild");
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [fileURLToPath(ENTRY)],
      tsconfig: fileURLToPath(new URL("browser/tsconfig.json", import.meta.url)),
      bundle: true,
      minify: true,
      format: "esm",
      target: ["es2022"],
      outdir: "out",
      write: false,
      legalComments: "none",
      logLevel: "silent",
    });
    const file = (ending: string): Buffer => {
      const found = outputFiles.find(({ path }) => path.endsWith(ending));
      if (found === undefined) throw new Error(`esbuild made no ${ending} file`);
      return Buffer.from(found.contents);
    };
    return { script: file(".js"), style: file(".css") };
  } finally {
    await esbuild.stop();
  }
}
