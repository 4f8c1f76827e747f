/** Wrong arguments throw at the call, before anything runs. */

/** Throws unless `limit` is a positive integer or `Infinity`; `verb` is what the caller was about to do. */
export function requireLimit(verb: string, limit: unknown): asserts limit is number {
  if (typeof limit !== "number") throw new TypeError(`Cannot ${verb}: the limit is not a number`);
  if (limit !== Infinity && !(Number.isInteger(limit) && limit > 0)) {
    throw new RangeError(`Cannot ${verb}: the limit ${limit} is not a positive integer`);
  }
}

/** Throws unless `value` is a function; `role` says what it was given as. */
export function requireFunction(verb: string, role: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`Cannot ${verb}: the ${role} is not a function`);
}
