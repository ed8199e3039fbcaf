/**
 * Does the work once for each subject and keeps what it returned or threw for as long as the
 * subject lives. For costly work that has no effect and rests on the subject alone.
 */
export function oncePer<K extends object, V>(work: (subject: K) => V): (subject: K) => V {
  const outcomes = new WeakMap<K, () => V>();
  return (subject) => {
    const known = outcomes.get(subject) ?? outcomeOf(work, subject);
    outcomes.set(subject, known);
    return known();
  };
}

function outcomeOf<K, V>(work: (subject: K) => V, subject: K): () => V {
  try {
    const value = work(subject);
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
