/** PARTS are what a stack consists of. */
export const PARTS = ['api', 'nginx', 'influxdb', 'postgres', 'redis', 'worker'] as const;

/** Part is one of them; `api` and `worker` stand for all of their kind. */
export type Part = (typeof PARTS)[number];

/** Costs are processor times by part, in ms or in µs a point. */
export type Costs = Readonly<Record<Part, number>>;

/** costsOf makes Costs of a figure for each part. */
export function costsOf(figure: (part: Part) => number): Costs {
  return {
    api: figure('api'),
    nginx: figure('nginx'),
    influxdb: figure('influxdb'),
    postgres: figure('postgres'),
    redis: figure('redis'),
    worker: figure('worker'),
  };
}

/** costAPoint is what each part took for one point between two readings in ms, in µs. */
export function costAPoint(before: Costs, after: Costs, points: number): Costs {
  return costsOf((part) => ((after[part] - before[part]) * 1000) / points);
}

/** totalOf adds all parts up. */
export function totalOf(costs: Costs): number {
  return PARTS.reduce((sum, part) => sum + costs[part], 0);
}
