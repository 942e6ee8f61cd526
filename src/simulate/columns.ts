/** Numbers that are added one by one, in memory that a plain array of objects would take ten times of. */

type Numbers = Uint8Array | Uint32Array | Float64Array;

const FIRST_CAPACITY = 256;

/** A typed array that grows; `values` is only valid up to `length`. */
export interface Column<T extends Numbers> {
  values: T;
  length: number;
  readonly grow: (values: T, capacity: number) => T;
}

export function byteColumn(): Column<Uint8Array> {
  return columnOf<Uint8Array>(new Uint8Array(FIRST_CAPACITY), (capacity) => new Uint8Array(capacity));
}

export function wordColumn(): Column<Uint32Array> {
  return columnOf<Uint32Array>(new Uint32Array(FIRST_CAPACITY), (capacity) => new Uint32Array(capacity));
}

export function doubleColumn(): Column<Float64Array> {
  return columnOf<Float64Array>(new Float64Array(FIRST_CAPACITY), (capacity) => new Float64Array(capacity));
}

function columnOf<T extends Numbers>(values: T, create: (capacity: number) => T): Column<T> {
  return {
    values,
    length: 0,
    grow(full, capacity) {
      const larger = create(capacity);
      larger.set(full);
      return larger;
    },
  };
}

export function push<T extends Numbers>(column: Column<T>, value: number): void {
  if (column.length === column.values.length) {
    column.values = column.grow(column.values, column.length * 2);
  }
  column.values[column.length++] = value;
}

/** A view of what was pushed. */
export function trimmed<T extends Numbers>({ values, length }: Column<T>): T {
  return values.subarray(0, length) as T;
}

export function sharedBytes(values: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}

export function sharedWords(values: Uint32Array): Uint32Array {
  const shared = new Uint32Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}

export function sharedDoubles(values: Float64Array): Float64Array {
  const shared = new Float64Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}

/** The first index whose value is at least `value`, in values that never fall. */
export function lowerBound(values: Numbers, length: number, value: number): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((values[middle] as number) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
