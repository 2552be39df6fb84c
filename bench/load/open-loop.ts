import type { LoadResult, OpenJob } from './load-job.js';
import type { Sender } from './sender.js';
import { Tally } from './tally.js';
import { withSenders } from './with-senders.js';

/**
 * runOpen sends by the clock. A request that is due while every connection waits is sent late, and its time still counts
 * from when it was due: a server that stalls cannot make the requests it delayed disappear from the figures.
 */
export async function runOpen(job: OpenJob): Promise<LoadResult> {
  return withSenders(job, (senders, done) => {
    const tally = new Tally();
    const everyMs = (1000 * job.points) / job.pointsPerS;
    const total = Math.floor((job.warmupMs + job.durationMs) / everyMs);
    const firstMeasured = Math.ceil(job.warmupMs / everyMs);
    const startMs = performance.now() + everyMs;
    const idle: Sender[] = [...senders];
    let sent = 0;
    let answered = 0;

    const send = (): void => {
      while (sent < total && idle.length > 0 && performance.now() >= startMs + sent * everyMs) {
        // The one that has waited longest: servers close connections that never send anything.
        const sender = idle.shift();
        if (!sender) return;
        const index = sent++;
        if (index === firstMeasured) tally.begin();
        const dueMs = startMs + index * everyMs;
        sender.send({ firstMs: Date.now() - job.points / 10, stepMs: 0.1 }, (status, bytes) => {
          if (index >= firstMeasured) tally.add(status, job.points, dueMs, bytes);
          idle.push(sender);
          if (++answered === total) finish();
          else send();
        });
      }
    };
    const ticks = setInterval(send, 1);
    const finish = (): void => {
      clearInterval(ticks);
      done(tally.result());
    };
  });
}
