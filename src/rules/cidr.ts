/** Ranges of addresses, as trustedProxies names them. */

import { isIP, isIPv6 } from "node:net";
import type { Parsed } from "./units.ts";

/** "10.0.0.0/8" or "fd00::/8" as it is; one address becomes the range of itself alone. */
export function parseCidr(text: string): Parsed<string> {
  const [address = "", bits, ...rest] = text.split("/");
  // A zone ("fe80::1%eth0") is known on one machine only.
  if (isIP(address) === 0 || address.includes("%") || rest.length > 0) {
    return { ok: false, why: "write an address or a range of them, such as 10.0.0.0/8 or fd00::/8" };
  }
  const mostBits = isIPv6(address) ? 128 : 32;
  if (bits === undefined) return { ok: true, value: `${address}/${mostBits}` };
  if (!/^[0-9]{1,3}$/.test(bits) || Number(bits) > mostBits) {
    return { ok: false, why: `after the / is a number of bits from 0 to ${mostBits}` };
  }
  return { ok: true, value: `${address}/${Number(bits)}` };
}
