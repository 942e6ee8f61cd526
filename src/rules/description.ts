/** JSON-safe; in the shape of a rules file, so that it can be read as one. */
export type Description = { readonly [field: string]: DescribedValue };
export type DescribedValue = string | number | boolean | readonly DescribedValue[] | Description;
