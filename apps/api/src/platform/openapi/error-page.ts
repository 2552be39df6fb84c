import { ERROR_CODES, ITEM_CODES } from '@tidemark/types';

/** errorPage writes the page that the `type` of a problem points to: every code, what it means and what to do. */
export function errorPage(): string {
  const problems = Object.entries(ERROR_CODES).map(
    ([code, { status, title, help }]) =>
      `<section id="${code}"><h2><code>${code}</code> <small>${status}</small></h2><p><strong>${escape(title)}.</strong> ${escape(help)}</p></section>`,
  );
  const items = Object.entries(ITEM_CODES).map(
    ([code, meaning]) => `<dt><code>${code}</code></dt><dd>${escape(meaning)}</dd>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Tidemark errors</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b2733;background:#fff}
code{background:#eef2f5;padding:.1em .3em;border-radius:3px}h2{font-size:1.1rem;margin:1.5rem 0 .3rem}small{color:#56646f}
section:target{background:#fff7dd}dt{margin-top:.6rem}dd{margin:0 0 0 1rem}
@media(prefers-color-scheme:dark){body{color:#dfe7ee;background:#10181f}code{background:#1e2a34}small{color:#93a3b1}section:target{background:#3a3313}}</style></head>
<body><h1>Errors</h1><p>An error answer is <code>application/problem+json</code> (RFC 9457); its <code>code</code> is one of these.</p>
${problems.join('\n')}
<h1>Faults of single items</h1><p>In <code>errors</code>, and in <code>rejected</code> of a batch, with a JSON pointer to the place.</p>
<dl>${items.join('\n')}</dl></body></html>
`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/`([^`]+)`/g, '<code>$1</code>');
}
