import type { Ingest, IngestRequest, Stages } from './ingest.js';

/** IngestDoor is what receivers of metrics are given: the path itself, and the way to raise a request's alerts again. */
export class IngestDoor {
  constructor(
    readonly ingest: Ingest,
    private readonly stages: Pick<Stages, 'validate' | 'evaluate' | 'raise'>,
  ) {}

  /** raiseAgain evaluates a request that was stored before; alerts that were raised then stay as they are. */
  async raiseAgain({ project, kind, body }: IngestRequest): Promise<void> {
    const { points, drifts } = await this.stages.validate(project, kind, body);
    const breaches = this.stages.evaluate(points, drifts);
    if (breaches.length > 0) await this.stages.raise(breaches);
  }
}
