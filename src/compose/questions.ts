/** Questions to another process, which may have ended, or hang. */
export interface Questions<Question, Answer> {
  /** Undefined where nothing came within the time. */
  ask(question: Question): Promise<Answer | undefined>;
  answered(id: number, answer: Answer): void;
}

export function makeQuestions<Question, Answer>(
  send: (id: number, question: Question) => void,
  deadlineMs: number,
): Questions<Question, Answer> {
  const open = new Map<number, (answer: Answer | undefined) => void>();
  let last = 0;
  return {
    ask(question) {
      last += 1;
      const id = last;
      const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
      const timer = setTimeout(() => close(undefined), deadlineMs);
      const close = (answer: Answer | undefined): void => {
        clearTimeout(timer);
        open.delete(id);
        resolve(answer);
      };
      open.set(id, close);
      send(id, question);
      return promise;
    },
    answered: (id, answer) => open.get(id)?.(answer),
  };
}
