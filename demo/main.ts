import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Tidemark } from '@tidemark/sdk';
import { type Arrival, startReceivers } from './arrivals.js';
import { systemClock } from './clock.js';
import { baselineOf, DriftWatch } from './drift-watch.js';
import { serve } from './model/serve.js';
import { trainWineClassifier } from './model/wine-classifier.js';
import { parseWine } from './model/wine-data.js';
import { startPlatform } from './platform.js';
import { seededRandom } from './random.js';
import { bar, createScreen, type Screen } from './screen.js';
import { compareWithLedger } from './settlement.js';
import { momentAt, paced, STORY, traffic } from './traffic.js';

const HELP = `A real model under real traffic, watched by Tidemark, in two minutes.

  npm run demo                  the whole story
  npm run demo -- --speed 4     the same, told four times as fast
  npm run demo -- --keep        keep the platform running at the end, to look around
`;

const MODEL = 'wine-classifier';
const LATENCY_LIMIT_MS = 100;
const RESOLVE_AFTER_S = 10;
const REQUESTS_PER_SECOND = 20;
const WINDOW = 60;
const CHAPTERS = {
  calm: 'calm: the model answers as it did in training',
  shifted: 'shifted: the wines change, and each answer takes longer',
  recovered: 'recovered: a fix went out, and the platform notices by itself',
} as const;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    speed: { type: 'string', default: '1' },
    keep: { type: 'boolean' },
  },
});
const speed = Number(values.speed);
if (values.help) process.stdout.write(HELP);
else if (!(speed >= 1 && speed <= 10)) {
  process.stderr.write('--speed takes a number from 1 to 10\n');
  process.exitCode = 2;
} else
  process.exitCode = await tell(
    speed,
    values.keep ?? false,
    createScreen(process.stdout, () => performance.now()),
  );

async function tell(speedUp: number, keep: boolean, screen: Screen): Promise<number> {
  const startedMs = performance.now();
  const say = (text: string) =>
    screen.line(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  const arrivals: Arrival[] = [];
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const receivers = await startReceivers(secret, (arrival) => {
    arrivals.push(arrival);
    say(`  >> ${arrival.channel.padEnd(7)} ${arrival.text}`);
  });
  const platform = await startPlatform(receivers);
  try {
    say(`the platform runs at ${platform.url}, empty, on SQLite`);
    const classifier = await train(say);
    await platform.call('POST', '/api/v1/channels', { name: 'inbox', kind: 'email', to: ['you@demo.example'] });
    await platform.call('POST', '/api/v1/channels', { name: 'team chat', kind: 'slack', url: receivers.slackUrl });
    await platform.call('POST', '/api/v1/channels', {
      name: 'pager',
      kind: 'webhook',
      url: receivers.webhookUrl,
      secret,
    });
    await platform.call('POST', '/api/v1/models', {
      ...{ id: MODEL, name: 'Wine classifier', model_type: 'tabular', version: '1', environment: 'prod' },
      ...{
        thresholds: { latency: LATENCY_LIMIT_MS },
        resolve_after: Math.max(3, Math.round(RESOLVE_AFTER_S / speedUp)),
      },
    });
    say(`registered ${MODEL}: at most ${LATENCY_LIMIT_MS} ms an answer; notices go by email, Slack and webhook`);
    await run(classifier, platform.url, {
      speedUp,
      say,
      screen,
      summary: () => platform.call('GET', '/api/v1/summary'),
    });
    const alertsOpen = async () => (await platform.call<unknown[]>('GET', '/api/v1/alerts?resolved=false')).length;
    for (let waited = 0; waited < 60 && (await alertsOpen()) > 0; waited++) await systemClock.sleep(500);
    const verdict = await compareWithLedger(platform, arrivals);
    for (const line of verdict.lines) say(line);
    if (keep) await lookAround(platform.url, say);
    return verdict.agrees ? 0 : 1;
  } finally {
    await platform.close();
    await receivers.close();
  }
}

async function train(say: (text: string) => void) {
  const data = parseWine(await readFile(new URL('../data/wine.csv', import.meta.url), 'utf8'));
  const classifier = trainWineClassifier(data, seededRandom(7));
  const right = Math.round(classifier.heldOutAccuracy * classifier.heldOut.length);
  say(`trained a classifier on the UCI wine data: ${right} of ${classifier.heldOut.length} held-out wines right`);
  return classifier;
}

interface Stage {
  readonly speedUp: number;
  readonly say: (text: string) => void;
  readonly screen: Screen;
  readonly summary: () => Promise<{ total_requests: number; p95_latency: number; active_alerts: number }>;
}

/** run answers the traffic through the observed function, and reports drift of its inputs every second. */
async function run(
  classifier: Awaited<ReturnType<typeof train>>,
  url: string,
  { speedUp, say, screen, summary }: Stage,
) {
  const tidemark = new Tidemark({ url, flushIntervalMs: 250 });
  const classify = tidemark.observe(serve(classifier, systemClock), {
    modelId: MODEL,
    modelType: 'tabular',
    values: (_args, prediction) => (prediction ? { confidence: prediction.confidence } : {}),
  });
  const watch = new DriftWatch(baselineOf(classifier.heldOut.map((wine) => wine.features)), WINDOW);
  const phases = STORY.map((phase) => ({ ...phase, durationMs: phase.durationMs / speedUp }));
  const totalMs = phases.reduce((sum, phase) => sum + phase.durationMs, 0);
  const plan = {
    wines: classifier.heldOut,
    deviations: classifier.deviations,
    phases,
    requestsPerSecond: REQUESTS_PER_SECOND,
    seed: 3,
  };
  const startMs = systemClock.now();
  const underway = new Set<Promise<unknown>>();
  let chapter = '';
  const ticker = setInterval(() => {
    const drift = watch.measure();
    if (drift && drift.severity !== 'low') {
      tidemark.drift({ modelId: MODEL, driftType: 'data', severity: drift.severity, confidence: drift.confidence });
    }
    const share = (systemClock.now() - startMs) / totalMs;
    void summary().then(
      ({ total_requests, p95_latency, active_alerts }) =>
        screen.progress(
          `  [${bar(share, 24)}] ${chapter}  ${total_requests} requests, p95 ${p95_latency.toFixed(0)} ms, ${active_alerts} firing`,
        ),
      () => undefined, // the platform is stopping
    );
  }, 1000);
  for await (const request of paced(traffic(plan), systemClock)) {
    if (request.phase !== chapter) say(`-- ${CHAPTERS[(chapter = request.phase)]}`);
    watch.see(request.features);
    const answer = classify({ features: request.features, workMs: request.workMs });
    underway.add(answer);
    void answer.finally(() => underway.delete(answer));
  }
  while (momentAt(phases, systemClock.now() - startMs)) await systemClock.sleep(100);
  clearInterval(ticker);
  await Promise.all(underway);
  await tidemark.close();
  const { recorded, accepted, rejected, dropped } = tidemark.stats();
  say(`the SDK recorded ${recorded} points: ${accepted} accepted, ${rejected} rejected, ${dropped} dropped`);
}

async function lookAround(url: string, say: (text: string) => void): Promise<void> {
  say(`the platform stays up: ${url}/docs, ${url}/api/v1/alerts; Ctrl-C ends it`);
  await new Promise<void>((resolve) => process.once('SIGINT', resolve));
}
