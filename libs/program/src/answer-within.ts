/**
 * answerWithin asks and passes on the answer, or the fault; it rejects when there is neither within `ms`. A question that was
 * given up goes on by itself until its own time is over, and what then becomes of it concerns nobody.
 */
export async function answerWithin<T>(ms: number, ask: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ms);
  });
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
  }
}
