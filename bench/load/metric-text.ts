/** MODELS and TAG_SETS make the series of the load: 20 models with 5 sets of tags each. */
export const MODELS: readonly string[] = Array.from({ length: 20 }, (_, index) => `model-${twoDigits(index)}`);
const TAG_SETS = ['us-east', 'us-west', 'eu-west', 'eu-north', 'ap-south'].map(
  (region, index) => `{"region":"${region}","version":"1.${index}"}`,
);
const MODEL_TYPES = ['tabular', 'llm', 'cv'] as const;

/** STAMP is the placeholder of a timestamp and ID that of a request id; both are written over before each send. */
export const STAMP = '0000-00-00T00:00:00.000Z';
/** ID is the placeholder of a request id. */
export const ID = '00000000-0000-4000-8000-000000000000';

/** modelTypeOf is the type of the model with this index in MODELS. */
export function modelTypeOf(index: number): (typeof MODEL_TYPES)[number] {
  return MODEL_TYPES[index % MODEL_TYPES.length] ?? 'tabular';
}

/**
 * metricText is one inference metric as JSON, about 288 bytes, of a random one of the 100 series, healthy by the default
 * thresholds. `random` answers numbers from 0 to 1.
 */
export function metricText(random: () => number): string {
  const model = Math.floor(random() * MODELS.length);
  const tags = TAG_SETS[Math.floor(random() * TAG_SETS.length)] ?? '{}';
  const latency = Math.min(900, 25 * Math.exp(normal(random) * 0.6));
  const share = (low: number, high: number) => (low + (high - low) * random()).toFixed(3);
  const usage = `{"gpu_memory":${share(0.3, 0.7)},"cpu_usage":${share(0.1, 0.7)},"memory_usage":${share(0.2, 0.6)}}`;
  return (
    `{"model_id":"${MODELS[model]}","model_type":"${modelTypeOf(model)}","request_id":"${ID}",` +
    `"latency":${latency.toFixed(3)},"throughput":${(20 + 60 * random()).toFixed(2)},"error_rate":${share(0, 0.04)},` +
    `"resource_usage":${usage},"tags":${tags},"timestamp":"${STAMP}"}`
  );
}

/** seededRandom is a stream of numbers from 0 to 1, the same for a seed on every machine (xorshift32, G. Marsaglia 2003). */
export function seededRandom(seed: number): () => number {
  let state = Math.imul(seed | 0, 0x9e3779b1) || 0x9e3779b1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
