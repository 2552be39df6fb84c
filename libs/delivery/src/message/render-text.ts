import type { Story } from './story.js';

/** renderText writes a story as plain text of at most 76 columns where words allow, for mail readers without HTML. */
export function renderText(story: Story): string {
  const width = Math.max(0, ...story.rows.map(({ label }) => label.length));
  const rule = '='.repeat(Math.min(76, Math.max(20, story.badge.length + story.modelId.length + 2)));
  const lines = [`${story.badge}  ${story.modelId}`, rule, '', ...wrap(story.message ?? story.headline)];
  if (story.context !== undefined) lines.push(...wrap(story.context));
  if (story.rows.length > 0) lines.push('');
  lines.push(...story.rows.map(({ label, value }) => `  ${label.padEnd(width)}  ${value}`));
  if (story.note !== undefined) lines.push('', ...wrap(story.note));
  if (story.link !== undefined) lines.push('', 'Open the alert:', story.link);
  lines.push('', '-- ', 'Sent by Tidemark', '');
  return lines.join('\n');
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 76) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
