/**
 * Runs tasks, at most `concurrency` at the same time, and yields what each gives as soon as it is
 * there: one that is slow holds up no other. `next` is asked for a task whenever there is room, so
 * the consumer may add some for what it was given. Tasks must not reject.
 */
export async function* eachSettled<T>(
  next: () => (() => Promise<T>) | undefined,
  concurrency: number,
): AsyncGenerator<T> {
  const running = new Map<number, Promise<readonly [number, T]>>();
  let started = 0;
  while (true) {
    for (let task; running.size < concurrency && (task = next()) !== undefined;) {
      const number = started;
      started += 1;
      running.set(
        number,
        task().then((value) => [number, value] as const),
      );
    }
    if (running.size === 0) return;
    const [number, value] = await Promise.race(running.values());
    running.delete(number);
    yield value;
  }
}
