// Workloads count what they move, so that none measures nothing.

/** Whether `sum` is that of 0 to n - 1. */
export function expectSum(sum, n) {
  const expected = (n * (n - 1)) / 2;
  if (sum !== expected) throw new Error(`Wrong result: the sum is ${sum}, not ${expected}`);
}

export function expectCount(count, n) {
  if (count !== n) throw new Error(`Wrong result: ${count} of ${n}`);
}
