import { DEFAULT_PROJECT } from '@tidemark/state';
import type { Severity } from '@tidemark/types';
import type { Notification } from '../notification.js';
import { cleanLine } from './clean.js';
import { formatDuration, formatExcess, formatQuantity, formatTime } from './quantity.js';

/** Tone is what the colours of a message follow: the severity, or that it is over, or that it is only a test. */
export type Tone = Severity | 'resolved' | 'test';

/** Row is one labelled fact of a message. */
export interface Row {
  readonly label: string;
  readonly value: string;
}

/** Story is what a message says, before any format: plain text, cleaned and bounded, not yet escaped. */
export interface Story {
  /** Also the subject of an email: `[CRITICAL] my-model: High latency detected`. */
  readonly title: string;
  readonly tone: Tone;
  /** The word in the coloured bar, as in `CRITICAL`. */
  readonly badge: string;
  readonly modelId: string;
  /** What happened, in a few words. */
  readonly headline: string;
  /** The alert's own sentence, where it says more than the headline. */
  readonly message?: string;
  /** Why this message comes now, where that is not obvious. */
  readonly context?: string;
  readonly rows: readonly Row[];
  /** About messages that were held back. */
  readonly note?: string;
  readonly link?: string;
}

/** Of a model whose name has nothing that can be shown. */
const UNNAMED = '(unnamed model)';

/** tellStory decides what a notification says to people. Pure: all durations are taken from the notification's own times. */
export function tellStory(notification: Notification): Story {
  const { event, model_id, message, severity, suppressed_since_last: suppressed = 0 } = notification;
  const tone: Tone = event === 'test' ? 'test' : notification.resolved ? 'resolved' : severity;
  const badge = tone.toUpperCase();
  const modelId = cleanLine(model_id, 120) || UNNAMED;
  const sentence = cleanLine(message, 500) || 'An alert without a message';
  const headline = cleanLine(shortened(sentence), 120);
  const context = contextOf(notification);
  const link = linkOf(notification.dashboard_url);
  const note = [heldBack(suppressed), waitingOf(notification)].filter((part) => part !== '').join(' ');
  return {
    title: `[${badge}] ${modelId}: ${headline}`,
    tone,
    badge,
    modelId,
    headline,
    rows: event === 'test' ? [] : rowsOf(notification),
    ...(sentence === headline ? {} : { message: sentence }),
    ...(context === undefined ? {} : { context }),
    ...(note === '' ? {} : { note }),
    ...(link === undefined ? {} : { link }),
  };
}

function contextOf({ event, severity, started_at, timestamp }: Notification): string | undefined {
  const lasting = formatDuration(Date.parse(timestamp) - Date.parse(started_at) || 0);
  if (event === 'escalated') return `It got worse: the severity is now ${severity}.`;
  if (event === 'repeated') return `Still going on after ${lasting}, and nobody has acknowledged it.`;
  if (event === 'resolved') return `It is over. It lasted ${lasting}.`;
  if (event === 'test') return 'This is a test of the channel. Nothing is wrong.';
  return undefined;
}

function rowsOf(notification: Notification): Row[] {
  const { alert_type, value, threshold, occurrences, project, resolved, resolved_at } = notification;
  const rows: Row[] = [];
  if (project !== DEFAULT_PROJECT) rows.push({ label: 'Project', value: cleanLine(project, 120) });
  if (value !== null) {
    const excess = threshold === null ? undefined : formatExcess(value, threshold);
    const label = alert_type === 'drift' ? 'Confidence' : resolved ? 'Last breach' : 'Measured';
    const written = formatQuantity(alert_type, value);
    rows.push({ label, value: excess === undefined ? written : `${written} (${excess})` });
  }
  if (threshold !== null) rows.push({ label: 'Limit', value: formatQuantity(alert_type, threshold) });
  rows.push({ label: 'Severity', value: notification.severity });
  rows.push({ label: 'Since', value: formatTime(notification.started_at) });
  if (resolved_at !== undefined) rows.push({ label: 'Resolved', value: formatTime(resolved_at) });
  rows.push({ label: 'Times seen', value: String(occurrences) });
  return rows;
}

/** The sentence up to its figures: `High latency detected: 1500.0ms ...` is `High latency detected`. */
function shortened(headline: string): string {
  const end = [headline.indexOf(': '), headline.indexOf(' (')].filter((at) => at > 0);
  return headline.slice(0, Math.min(...end, headline.length));
}

function heldBack(count: number): string {
  if (count === 0) return '';
  const messages = count === 1 ? '1 more message' : `${count} more messages`;
  return `${messages} about this model ${count === 1 ? 'was' : 'were'} held back since the last one.`;
}

function waitingOf({ waiting_models: waiting }: Notification): string {
  if (waiting === undefined || waiting.count === 0) return '';
  const names = waiting.first.map((name) => cleanLine(name, 60) || UNNAMED);
  const rest = waiting.count - names.length;
  const list = rest > 0 ? `${names.join(', ')} and ${rest} more` : names.join(', ');
  const models = waiting.count === 1 ? '1 other model' : `${waiting.count} other models`;
  return `This channel's limit is reached: messages about ${models} wait and follow as it allows (${list}).`;
}

function linkOf(url: string | undefined): string | undefined {
  if (url === undefined || url.length > 2000 || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return parsed.protocol === 'https:' || parsed.protocol === 'http:' ? parsed.href : undefined;
}
