/** Keeps the process there until the promise settles: a deadline's timer alone does not. */
export async function heldOpen<T>(promise: Promise<T>): Promise<T> {
  const holding = setInterval(() => undefined, 60_000);
  try {
    return await promise;
  } finally {
    clearInterval(holding);
  }
}
