/** All JSON shapes of the corpus. */

import type { Shape } from "./shape.ts";
import { COMMERCE_SHAPES } from "./shapes/commerce.ts";
import { MACHINE_SHAPES } from "./shapes/machines.ts";
import { MAP_SHAPES } from "./shapes/maps.ts";
import { SOCIAL_SHAPES } from "./shapes/social.ts";
import { STANDARD_SHAPES } from "./shapes/standards.ts";
import { WORK_SHAPES } from "./shapes/work.ts";

export const SHAPES: readonly Shape[] = [
  ...WORK_SHAPES,
  ...COMMERCE_SHAPES,
  ...SOCIAL_SHAPES,
  ...MACHINE_SHAPES,
  ...STANDARD_SHAPES,
  ...MAP_SHAPES,
];
