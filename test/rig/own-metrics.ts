import type { Client } from './client.js';
import type { Platform } from './platform.js';

/** OwnMetrics is one reading of what the platform counts about itself, at /metrics. */
export class OwnMetrics {
  private constructor(private readonly lines: readonly string[]) {}

  static async read(api: Client): Promise<OwnMetrics> {
    const answer = await api.get('/metrics');
    if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`);
    return new OwnMetrics(answer.text.split('\n'));
  }

  /** of reads every instance of a platform, with a key where one is asked for. */
  static async of({ instances }: Pick<Platform, 'instances'>, key?: string): Promise<OwnMetrics> {
    const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key };
    const texts = instances.map(async (url) => {
      const answer = await fetch(`${url}/metrics`, { headers });
      if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
      return answer.text();
    });
    return new OwnMetrics((await Promise.all(texts)).flatMap((text) => text.split('\n')));
  }

  /** sum adds the samples of a name that carry all of these labels, written as in `kind="inference"`; 0 without any. */
  sum(name: string, ...labels: readonly string[]): number {
    return this.lines
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .filter((line) => labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}
