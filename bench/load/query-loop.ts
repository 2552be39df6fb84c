import { HttpConnection } from './http-connection.js';
import type { GetsJob, LoadResult } from './load-job.js';
import { Tally } from './tally.js';

/** runGets asks one request after the other on one connection, at least once each path. */
export async function runGets(job: GetsJob): Promise<LoadResult> {
  const requests = job.paths.map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, 'latin1'));
  let fail = (error: Error): void => {
    throw error;
  };
  const connection = await HttpConnection.open(job.port, (error) => fail(error));
  const tally = new Tally();
  try {
    const endMs = performance.now() + job.maxMs;
    for (let i = 0; i < job.count && (i < job.paths.length || performance.now() < endMs); i++) {
      const request = requests[i % requests.length];
      if (!request) throw new Error('there is no path to ask for');
      await new Promise<void>((resolve, reject) => {
        fail = reject;
        const sentMs = performance.now();
        connection.send(request, (status, bytes) => {
          tally.add(status, 0, sentMs, bytes);
          resolve();
        });
      });
    }
    return tally.result();
  } finally {
    connection.close();
  }
}
