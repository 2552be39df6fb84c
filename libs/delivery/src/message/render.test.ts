import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleNotification } from '../rig/notification-sample.js';
import { cleanLine, cutTo } from './clean.js';
import { formatDuration, formatExcess, formatQuantity, formatTime } from './quantity.js';
import { escapeSlack, renderSlack } from './render-slack.js';
import { renderEmail } from './render.js';
import { tellStory } from './story.js';
import { TONE_COLOURS, TONE_INKS } from './tone-colour.js';

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '<!channel> <!here> <!everyone>',
  '<@U012AB3CD> <#C024BE7LR>',
  '<http://evil.example|click me>',
  'http://evil.example',
  '\u001b[31mred\u001b[0m \u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007',
  'a\r\nb\u0000c\u0085d\u2028e\u2029f',
  '\u202egnp.exe \u2066x\u2069 \u200bz',
  '&lt;b&gt; &amp;',
  '${x} {{x}} %s',
];
const everywhere = (text: string) =>
  sampleNotification({ model_id: text, message: text, project: text, started_at: text, resolved_at: text });

describe('tellStory', () => {
  it.each([
    ['High latency detected: 1500.0ms (threshold: 1000.0ms)', 'High latency detected'],
    ['High GPU memory usage: 95.0% (threshold: 80.0%)', 'High GPU memory usage'],
    ['Data drift detected with critical severity (confidence: 100.0%)', 'Data drift detected with critical severity'],
    ['Something else', 'Something else'],
    [': odd', ': odd'],
  ])('makes the title of "%s" from its words, without the figures', (message, words) => {
    expect(tellStory(sampleNotification({ message })).title).toBe(`[CRITICAL] my-model: ${words}`);
  });

  it.each([
    [{}, 'critical', 'CRITICAL', undefined],
    [{ severity: 'low' }, 'low', 'LOW', undefined],
    [{ event: 'escalated' }, 'critical', 'CRITICAL', 'It got worse: the severity is now critical.'],
    [
      { event: 'repeated', timestamp: '2026-11-21T14:05:00Z' },
      'critical',
      'CRITICAL',
      'Still going on after 4 h 5 min, and nobody has acknowledged it.',
    ],
    [
      { event: 'resolved', resolved: true, timestamp: '2026-11-21T10:12:00Z' },
      'resolved',
      'RESOLVED',
      'It is over. It lasted 12 min.',
    ],
    [{ event: 'test' }, 'test', 'TEST', 'This is a test of the channel. Nothing is wrong.'],
  ] as const)('tells %j as %s', (changes, tone, badge, context) => {
    const story = tellStory(sampleNotification(changes));
    expect(story).toMatchObject({ tone, badge });
    expect(story.context).toBe(context);
  });

  it('tells what was held back, and says nothing where nothing was', () => {
    expect(tellStory(sampleNotification()).note).toBeUndefined();
    expect(tellStory(sampleNotification({ suppressed_since_last: 0 })).note).toBeUndefined();
    expect(tellStory(sampleNotification({ suppressed_since_last: 1 })).note).toMatch(
      /^1 more message .* was held back/,
    );
    expect(tellStory(sampleNotification({ suppressed_since_last: 7 })).note).toMatch(
      /^7 more messages .* were held back/,
    );
  });

  it('tells of which other models messages wait for the channel', () => {
    const note = (count: number, first: string[], suppressed = 0) =>
      tellStory(sampleNotification({ waiting_models: { count, first }, suppressed_since_last: suppressed })).note;
    expect(note(0, [])).toBeUndefined();
    expect(note(1, ['a'])).toMatch(/ about 1 other model wait .* \(a\)\.$/);
    expect(note(3, ['a', 'b', 'c'])).toMatch(/ about 3 other models wait .* \(a, b, c\)\.$/);
    expect(note(12, ['a', 'b', '\u001b[31m'])).toMatch(/ \(a, b, \(unnamed model\) and 9 more\)\.$/);
    expect(note(1, ['a'], 2)).toMatch(/^2 more messages .* were held back since the last one\. This channel's limit/);
    const longest = note(1e9, Array(3).fill('x'.repeat(500)), 1e9) ?? '';
    expect(longest.length).toBeLessThan(450);
  });

  it('sets the value beside the limit', () => {
    expect(tellStory(sampleNotification()).rows).toContainEqual({
      label: 'Measured',
      value: '2500.0 ms (2.5 times the limit)',
    });
    expect(tellStory(sampleNotification()).rows).toContainEqual({ label: 'Limit', value: '1000.0 ms' });
  });

  it('leaves out what is not known', () => {
    const story = tellStory(sampleNotification({ value: null, threshold: null }));
    expect(story.rows.map(({ label }) => label)).toEqual(['Severity', 'Since', 'Times seen']);
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', '//evil.example', 'not a url', `http://x/${'a'.repeat(2100)}`])(
    'makes no link of %s',
    (dashboard_url) => {
      expect(tellStory(sampleNotification({ dashboard_url })).link).toBeUndefined();
    },
  );
});

describe('TONE_INKS', () => {
  const luminance = (hex: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = parseInt(hex.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  it.each(['low', 'medium', 'high', 'critical', 'resolved', 'test'] as const)(
    'can be read on the bar of %s',
    (tone) => {
      const [bar, ink] = [luminance(TONE_COLOURS[tone]), luminance(TONE_INKS[tone])];
      expect((Math.max(bar, ink) + 0.05) / (Math.min(bar, ink) + 0.05)).toBeGreaterThanOrEqual(4.5);
    },
  );
});

describe('renderEmail', () => {
  it.each(hostile)('renders nothing of %j', (text) => {
    const { subject, text: plain, html } = renderEmail(everywhere(text));
    const tags = (body: string): string[] => body.match(/<[a-z!/][^>]*>/gi) ?? [];
    // Whatever the text: the same tags with the same attributes as in a harmless message.
    expect(tags(html)).toEqual(tags(renderEmail(everywhere('harmless')).html));
    expect(`${subject}${plain}${html}`).not.toMatch(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}\u202e\u2066\u200b]/u);
    expect(subject).not.toContain('\n');
    expect(plain.split('\n')).toHaveLength(renderEmail(everywhere('harmless')).text.split('\n').length);
  });

  it.each(hostile)('keeps %j inside the address of the one link', (text) => {
    const rendered = (query: string) =>
      renderEmail(sampleNotification({ dashboard_url: `http://d.example/?${query}` })).html;
    const names = (html: string): string[] => html.match(/<[a-z!/][^\s>]*|\s[a-z-]+="/gi) ?? [];
    expect(names(rendered(text))).toEqual(names(rendered('harmless')));
  });

  it('stays small whatever it is given', () => {
    const { subject, text, html } = renderEmail(everywhere('<&\u001b[1m"'.repeat(100_000)));
    expect(subject.length).toBeLessThan(300);
    expect(text.length + html.length).toBeLessThan(30_000);
  });

  it('says the same in text and in HTML', () => {
    const { text, html } = renderEmail(sampleNotification({ suppressed_since_last: 3, project: 'team-a' }));
    for (const fact of ['my-model', '2500.0 ms', '1000.0 ms', '2026-11-21 10:00:00 UTC', 'team-a', '3 more messages']) {
      expect(text).toContain(fact);
      expect(html).toContain(fact);
    }
    expect(text).toContain('http://127.0.0.1:8000/alerts/alr_77');
    expect(html).toContain('href="http://127.0.0.1:8000/alerts/alr_77"');
  });
});

describe('renderSlack', () => {
  const textsOf = (message: unknown): string[] => {
    if (typeof message === 'string') return [message];
    if (Array.isArray(message)) return message.flatMap(textsOf);
    return typeof message === 'object' && message !== null ? Object.values(message).flatMap(textsOf) : [];
  };

  it.each([
    ['low', '#36a64f'],
    ['medium', '#ff9800'],
    ['high', '#ff5722'],
    ['critical', '#d32f2f'],
  ] as const)('has the bar of %s in %s', (severity, colour) => {
    expect(renderSlack(tellStory(sampleNotification({ severity }))).attachments[0]?.color).toBe(colour);
  });

  it.each(hostile)('neither mentions nor links for %j', (text) => {
    const message = renderSlack(tellStory(everywhere(text)));
    const ownLink = '<http://127.0.0.1:8000/alerts/alr_77|Open the alert>';
    const texts = textsOf(message).filter((written) => written !== ownLink);
    for (const written of texts) expect(written).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
  });

  it.each(hostile)('keeps %j inside the address of the one link', (text) => {
    const message = renderSlack(tellStory(sampleNotification({ dashboard_url: `http://d.example/?${text}` })));
    const written = textsOf(message).filter((part) => /[<>]/.test(part));
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^<http:\/\/d\.example\/\?[^<>|\s]*\|Open the alert>$/);
  });

  it('turns automatic links and mentions off in every text', () => {
    const message = JSON.stringify(renderSlack(tellStory(sampleNotification({ suppressed_since_last: 2 }))));
    expect(message.match(/"type":"mrkdwn"/g)?.length).toBe(message.match(/"verbatim":true/g)?.length);
    expect(message).not.toContain('plain_text');
  });

  it('links to the alert and to nothing else', () => {
    const dashboard_url = 'http://d.example/a?x=1&y=2|3';
    const message = JSON.stringify(renderSlack(tellStory(sampleNotification({ dashboard_url }))));
    expect(message.match(/<[^>]*>/g)).toEqual(['<http://d.example/a?x=1&amp;y=2%7C3|Open the alert>']);
  });

  it("keeps within Slack's limits for any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 5000 }),
        fc.constantFrom('&', '<', '*', 'x'),
        (text, filler) => {
          const [attachment] = renderSlack(tellStory(everywhere(text + filler.repeat(6000)))).attachments;
          for (const block of attachment?.blocks ?? []) {
            if (block.type === 'context')
              for (const element of block.elements) expect(element.text.length).toBeLessThanOrEqual(3000);
            else if ('text' in block) expect(block.text.text.length).toBeLessThanOrEqual(3000);
            else {
              expect(block.fields.length).toBeLessThanOrEqual(10);
              for (const field of block.fields) expect(field.text.length).toBeLessThanOrEqual(2000);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('cuts after escaping, never inside an escape', () => {
    expect(escapeSlack('&&&', 10)).toBe('&amp;…');
    expect(escapeSlack('ab', 3)).toBe('ab');
  });
});

describe('cleanLine', () => {
  it('yields one bounded line without controls, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 100 }), (text, max) => {
        const line = cleanLine(text, max);
        expect(line.length).toBeLessThanOrEqual(max);
        expect(line).not.toMatch(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(cleanLine(line, max)).toBe(line);
      }),
    );
  });

  it('leaves ordinary text of any language alone', () => {
    for (const text of ['my-model v2.1', 'Übersetzer', '翻译', 'नमस्ते', '👩‍💻 ok'])
      expect(cleanLine(text, 100)).toBe(text);
  });

  it('does not split a character', () => {
    expect(cutTo('🙂🙂🙂', 4)).toBe('🙂…');
  });
});

describe('quantities', () => {
  it.each([
    ['latency', 1500, '1500.0 ms'],
    ['error_rate', 0.051, '5.1%'],
    ['resource_usage', 0.95, '95.0%'],
    ['drift', 1, '100.0%'],
  ] as const)('writes %s %f as %s', (type, value, text) => {
    expect(formatQuantity(type, value)).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [59_400, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [11_100_000, '3 h 5 min'],
    [187_200_000, '2 d 4 h'],
    [-5000, '0 s'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('compares a value with its limit, where there is something to compare', () => {
    expect(formatExcess(1500, 1000)).toBe('1.5 times the limit');
    expect(formatExcess(25_000, 1000)).toBe('25 times the limit');
    expect(formatExcess(1001, 1000)).toBe('just over the limit');
    expect(formatExcess(900, 1000)).toBeUndefined();
    expect(formatExcess(5, 0)).toBeUndefined();
  });

  it('writes times in UTC', () => {
    expect(formatTime('2026-01-31T10:05:07+01:00')).toBe('2026-01-31 09:05:07 UTC');
    expect(formatTime('yesterday')).toBe('unknown');
  });
});
