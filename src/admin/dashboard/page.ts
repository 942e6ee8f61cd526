/** The one HTML document of the dashboard, and what the browser is told to forbid it. */

/** The files that the document names, below `/assets/`. */
export const SCRIPT_FILE = "dashboard.js";
export const STYLE_FILE = "dashboard.css";

/**
 * Nothing from elsewhere, nothing inline, no markup from text (trusted types), no frame around it. Data URLs are for
 * the icon alone.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** Of every file of the dashboard; the server adds nosniff. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 4h6l8 8h-4' " +
  "fill='none' stroke='%23d9730d' stroke-width='2.5'/%3E%3Cpath d='M1 12h5' stroke='%232f6fb0' stroke-width='2.5'/%3E%3C/svg%3E";

/** Paths are relative, so that the page also works below another one, behind a proxy. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>cutover</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="assets/${STYLE_FILE}">
<script type="module" src="assets/${SCRIPT_FILE}"></script>
</head>
<body>
<div id="app"></div>
<noscript>The dashboard needs JavaScript. The same is told by the command line: cutover status, cutover mismatches.</noscript>
</body>
</html>
`;
