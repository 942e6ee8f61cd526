/**
 * Imported before everything else: uPlot asks for number formats of the browser's language as it is loaded, and some
 * browsers without a desktop have one that no format knows ("en-US@posix"). That would leave a blank page.
 */

try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US", configurable: true });
}
