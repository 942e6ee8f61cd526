/** esbuild takes style sheets that are imported; for the compiler they hold nothing. */
declare module "*.css";
