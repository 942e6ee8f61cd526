/** The rules format as JSON Schema (draft-07) for editors, from the definition that checks it. */

import { z } from "zod";
import { fileSchema } from "./schema.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a scalar may always be instead: a text with a variable in it. */
const WITH_VARIABLE: Json = { type: "string", pattern: "\\$\\{" };

/** The schema that rules/rules.schema.json holds. */
export function rulesJsonSchema(): object {
  const schema = z.toJSONSchema(fileSchema, { target: "draft-7", io: "input", reused: "inline" });
  const plain = JSON.parse(JSON.stringify(schema)) as { [key: string]: Json };
  return { ...(allowVariables(plain) as object), title: "cutover rules" };
}

/** Variables stand in values, so every scalar but the names of fields takes one. */
function allowVariables(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(allowVariables);
  if (typeof schema !== "object" || schema === null) return schema;
  const walked: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(schema)) {
    walked[key] =
      key === "propertyNames" || key === "enum" || key === "examples" ? value : allowVariables(value);
  }
  const isScalar = ["string", "integer", "number", "boolean"].includes(String(schema.type));
  const isConstrained = schema.type !== "string" || "pattern" in schema || "enum" in schema;
  if (!isScalar || !isConstrained || "const" in schema) return walked;
  const { description, ...form } = walked;
  return { ...(description === undefined ? {} : { description }), anyOf: [form, WITH_VARIABLE] };
}
