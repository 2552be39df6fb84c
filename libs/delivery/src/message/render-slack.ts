import { cutTo } from './clean.js';
import type { Story } from './story.js';
import { TONE_COLOURS } from './tone-colour.js';

/** SlackText is a mrkdwn text; `verbatim` keeps Slack from turning names and bare URLs in it into mentions and links. */
export interface SlackText {
  readonly type: 'mrkdwn';
  readonly text: string;
  readonly verbatim: true;
}

/** SlackBlock is one of the Block Kit blocks that are used here. */
export type SlackBlock =
  | { readonly type: 'section'; readonly text: SlackText }
  | { readonly type: 'section'; readonly fields: SlackText[] }
  | { readonly type: 'context'; readonly elements: SlackText[] };

/** SlackMessage is the body of an incoming webhook: blocks in one attachment, which is what has a coloured bar. */
export interface SlackMessage {
  readonly unfurl_links: false;
  readonly unfurl_media: false;
  readonly attachments: { color: string; fallback: string; blocks: SlackBlock[] }[];
}

/** Slack's limits: 3000 characters in a text, 2000 in a field, 10 fields in a section, counted after escaping. */
const MAX_TEXT = 3000;
const MAX_FIELD = 2000;
const MAX_FIELDS = 10;

/**
 * renderSlack writes a story as Block Kit with a coloured bar. There is no top-level `text`, since Slack would find links
 * in it; `fallback` is what its notifications show.
 */
export function renderSlack(story: Story): SlackMessage {
  const said = [story.message ?? story.headline, story.context].filter((part) => part !== undefined).join('\n');
  const fields = story.rows
    .slice(0, MAX_FIELDS)
    .map(({ label, value }) => mrkdwn(`*${label}*\n${escapeSlack(value, MAX_FIELD - 100)}`));
  const blocks: SlackBlock[] = [section(`*${escapeSlack(story.title, 500)}*\n${escapeSlack(said, MAX_TEXT - 600)}`)];
  if (fields.length > 0) blocks.push({ type: 'section', fields });
  if (story.note !== undefined) blocks.push({ type: 'context', elements: [mrkdwn(escapeSlack(story.note, 500))] });
  const link = slackLink(story.link);
  if (link !== undefined) blocks.push(section(link));
  const attachment = { color: TONE_COLOURS[story.tone], fallback: escapeSlack(story.title, 500), blocks };
  return { unfurl_links: false, unfurl_media: false, attachments: [attachment] };
}

/**
 * escapeSlack makes text that can neither mention (`<!channel>`, `<@U..>`) nor link (`<http://..|..>`) nor break the
 * formatting around it (asterisks, backticks), in at most `maxLength` characters after escaping.
 */
export function escapeSlack(text: string, maxLength: number): string {
  let escaped = '';
  for (const character of text) {
    const next = ESCAPES[character] ?? character;
    if (escaped.length + next.length > maxLength - 1) return `${escaped}…`;
    escaped += next;
  }
  return escaped;
}

/** The formatting characters have no escape in Slack: look-alikes stand in for those that would change the layout. */
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '*': '∗', '`': 'ˋ' };

/** A `|` or `>` in the URL would end it: both are percent-encoded by the URL parser, or the link is left out. */
function slackLink(link: string | undefined): string | undefined {
  if (link === undefined) return undefined;
  const target = link.replace(/&/g, '&amp;').replace(/\|/g, '%7C');
  return /[<>\s]/.test(target) || target.length > MAX_TEXT - 50
    ? undefined
    : cutTo(`<${target}|Open the alert>`, MAX_TEXT);
}

function section(text: string): SlackBlock {
  return { type: 'section', text: mrkdwn(text) };
}

function mrkdwn(text: string): SlackText {
  return { type: 'mrkdwn', text, verbatim: true };
}
