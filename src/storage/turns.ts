/** Runs what it is given, one after the other in the order of asking. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

export function makeTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
