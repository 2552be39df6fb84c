import { createHash } from 'node:crypto';

/** MODELS and the sets of tags make the series of the load: 20 models with 5 sets of tags each. */
export const MODELS: readonly string[] = Array.from({ length: 20 }, (_, index) => `model-${twoDigits(index)}`);
const TAG_SETS = ['us-east', 'us-west', 'eu-west', 'eu-north', 'ap-south'].map((region, index) => ({
  region,
  version: `1.${index}`,
}));
const MODEL_TYPES = ['tabular', 'llm', 'cv'] as const;

/** STAMP is the placeholder of a timestamp and ID that of a request id; both are written over before each send. */
export const STAMP = '0000-00-00T00:00:00.000Z';
/** ID is the placeholder of a request id. */
export const ID = '00000000-0000-4000-8000-000000000000';
/** SEQ_AND_NS is the placeholder of the last field of a line and of its time in ns. */
export const SEQ_AND_NS = 'seq=0000000000000000i 0000000000000000000';

/** modelTypeOf is the type of the model with this index in MODELS. */
export function modelTypeOf(index: number): (typeof MODEL_TYPES)[number] {
  return MODEL_TYPES[index % MODEL_TYPES.length] ?? 'tabular';
}

/**
 * metricText is one inference metric as JSON, about 288 bytes, of a random one of the 100 series, healthy by the default
 * thresholds. `random` answers numbers from 0 to 1.
 */
export function metricText(random: () => number): string {
  const { model, tags, latency, gpu, cpu, memory, throughput, errorRate } = drawMetric(random);
  return (
    `{"model_id":"${MODELS[model]}","model_type":"${modelTypeOf(model)}","request_id":"${ID}",` +
    `"latency":${latency},"throughput":${throughput},"error_rate":${errorRate},` +
    `"resource_usage":{"gpu_memory":${gpu},"cpu_usage":${cpu},"memory_usage":${memory}},` +
    `"tags":{"region":"${tags.region}","version":"${tags.version}"},"timestamp":"${STAMP}"}`
  );
}

/** metricLine is the metric that metricText would make, as the line that Tidemark would make of it for InfluxDB. */
export function metricLine(random: () => number): string {
  const { model, tags, latency, gpu, cpu, memory, throughput, errorRate } = drawMetric(random);
  const name = MODELS[model] ?? '';
  const series = createHash('sha256').update(`${name} ${tags.region}`).digest('base64url').slice(0, 22);
  return (
    `inference,model=${name},model_type=${modelTypeOf(model)},project=default,series=${series},` +
    `t.region=${tags.region},t.version=${tags.version},writer=0 ` +
    `latency=${Number(latency)},throughput=${Number(throughput)},error_rate=${Number(errorRate)},` +
    `gpu_memory=${Number(gpu)},cpu_usage=${Number(cpu)},memory_usage=${Number(memory)},request_id="${ID}",${SEQ_AND_NS}\n`
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

/** The numbers are texts with as many digits as a client would send. */
function drawMetric(random: () => number) {
  const model = Math.floor(random() * MODELS.length);
  const tags = TAG_SETS[Math.floor(random() * TAG_SETS.length)] ?? { region: '', version: '' };
  const latency = Math.min(900, 25 * Math.exp(normal(random) * 0.6)).toFixed(3);
  const share = (low: number, high: number) => (low + (high - low) * random()).toFixed(3);
  const [gpu, cpu, memory] = [share(0.3, 0.7), share(0.1, 0.7), share(0.2, 0.6)];
  const throughput = (20 + 60 * random()).toFixed(2);
  return { model, tags, latency, gpu, cpu, memory, throughput, errorRate: share(0, 0.04) };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
