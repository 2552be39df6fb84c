import type { Row, Story } from './story.js';
import { TONE_COLOURS, TONE_INKS } from './tone-colour.js';

const FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/**
 * renderHtml writes a story as an HTML email: tables and inline styles, since mail readers know little else, with no
 * image, no script and nothing loaded from anywhere. Follows the reader's dark mode where the mail reader has one.
 */
export function renderHtml(story: Story): string {
  const colour = TONE_COLOURS[story.tone];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(story.title)}</title>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #15181c !important; }
  .card { background: #1f2429 !important; border-color: #343b42 !important; }
  .ink { color: #f0f2f4 !important; }
  .soft { color: #a4adb6 !important; }
  .line { border-color: #343b42 !important; }
  .note { background: #2a3037 !important; color: #d5dae0 !important; }
}
@media (max-width: 480px) {
  .page { padding: 0 !important; }
  .card { border-radius: 0 !important; border-left: 0 !important; border-right: 0 !important; }
  .pad { padding-left: 18px !important; padding-right: 18px !important; }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f2f4f6;">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#f2f4f6;padding:24px 12px;">
<tr><td align="center">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;background:#ffffff;border:1px solid #dfe3e8;border-radius:8px;border-collapse:separate;overflow:hidden;font-family:${FONT};text-align:left;">
<tr><td class="pad" style="background:${colour};padding:10px 28px;color:${TONE_INKS[story.tone]};font-size:13px;font-weight:700;letter-spacing:.08em;">${escapeHtml(story.badge)}</td></tr>
<tr><td class="pad" style="padding:24px 28px 4px;">
<div class="soft" style="color:#5b6670;font-size:14px;line-height:20px;word-break:break-word;">${escapeHtml(story.modelId)}</div>
<div class="ink" style="color:#1b2126;font-size:20px;line-height:27px;font-weight:600;padding-top:4px;word-break:break-word;">${escapeHtml(story.headline)}</div>
${paragraph(story.message)}${paragraph(story.context)}</td></tr>
${facts(story.rows)}${note(story.note)}${button(story.link)}<tr><td class="pad soft" style="padding:12px 28px 22px;color:#5b6670;font-size:12px;line-height:18px;">Sent by Tidemark</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

/** escapeHtml makes text safe between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function paragraph(text: string | undefined): string {
  if (text === undefined) return '';
  return `<div class="ink" style="color:#1b2126;font-size:15px;line-height:22px;padding-top:8px;word-break:break-word;">${escapeHtml(text)}</div>\n`;
}

function facts(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const table = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0">';
  return `<tr><td class="pad" style="padding:16px 28px 8px;">${table}\n${rows.map(row).join('\n')}\n</table></td></tr>\n`;
}

function row({ label, value }: Row): string {
  const cell = 'padding:8px 0;border-top:1px solid #e8ebee;font-size:14px;line-height:20px;vertical-align:top;';
  return `<tr><td class="soft line" width="104" style="${cell}color:#5b6670;padding-right:12px;">${escapeHtml(label)}</td><td class="ink line" style="${cell}color:#1b2126;word-break:break-word;">${escapeHtml(value)}</td></tr>`;
}

function note(text: string | undefined): string {
  if (text === undefined) return '';
  return `<tr><td class="pad" style="padding:8px 28px;"><div class="note" style="background:#f2f4f6;color:#39434c;border-radius:6px;padding:10px 14px;font-size:14px;line-height:20px;">${escapeHtml(text)}</div></td></tr>\n`;
}

function button(link: string | undefined): string {
  if (link === undefined) return '';
  return `<tr><td class="pad" style="padding:14px 28px 8px;"><a href="${escapeHtml(link)}" style="display:inline-block;background:#1565c0;color:#ffffff;text-decoration:none;font-size:14px;font-weight:600;line-height:20px;padding:10px 18px;border-radius:6px;">Open the alert</a></td></tr>\n`;
}
