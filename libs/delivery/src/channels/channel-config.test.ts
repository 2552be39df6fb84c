import { describe, expect, it } from 'vitest';
import { parseChannelConfig } from './channel-config.js';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const webhook = { kind: 'webhook', url: 'https://example.org/x', secret };

describe('parseChannelConfig', () => {
  it('reads all three kinds and drops what it does not know', () => {
    const email = { kind: 'email', to: ['a@b.org'], from: 'X <c@d.org>', smtp_url: 'smtp://h' };
    expect(parseChannelConfig({ ...email, extra: 1 })).toEqual({ ok: true, config: email });
    expect(parseChannelConfig({ kind: 'slack', url: 'https://hooks.slack.com/x' })).toEqual({
      ok: true,
      config: { kind: 'slack', url: 'https://hooks.slack.com/x' },
    });
    const full = { ...webhook, method: 'PUT', headers: { 'X-Team': 'ml' } };
    expect(parseChannelConfig(full)).toEqual({ ok: true, config: full });
    expect(parseChannelConfig(webhook)).toEqual({ ok: true, config: { ...webhook, method: 'POST' } });
  });

  it('takes null for an absent optional field', () => {
    const config = parseChannelConfig({ kind: 'email', to: ['a@b.org'], from: null, smtp_url: null });
    expect(config).toEqual({ ok: true, config: { kind: 'email', to: ['a@b.org'] } });
  });

  it.each([
    [undefined, ['/kind']],
    [null, ['/kind']],
    [[], ['/kind']],
    [{ kind: 'pager' }, ['/kind']],
    [{ kind: 'email' }, ['/to']],
    [{ kind: 'email', to: [] }, ['/to']],
    [{ kind: 'email', to: 'a@b.org' }, ['/to']],
    [{ kind: 'email', to: ['a@b.org', 'x@y, z@w', 7] }, ['/to/1', '/to/2']],
    [{ kind: 'email', to: Array(51).fill('a@b.org') }, ['/to']],
    [{ kind: 'email', to: ['a@b.org'], from: 'a@b, c@d', smtp_url: 'http://h' }, ['/smtp_url', '/from']],
    [{ kind: 'slack' }, ['/url']],
    [{ kind: 'slack', url: 'ftp://x' }, ['/url']],
    [{ kind: 'slack', url: 'https://u:p@x' }, ['/url']],
    [{ ...webhook, method: 'GET', secret: 'x', url: 'nope' }, ['/url', '/method', '/secret']],
    [{ ...webhook, headers: [] }, ['/headers']],
    [{ ...webhook, headers: { a: 1 } }, ['/headers']],
  ])('says which fields of %j are wrong', (input, pointers) => {
    const result = parseChannelConfig(input);
    expect(!result.ok && result.faults.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it.each([
    [{ Host: 'evil' }],
    [{ 'content-length': '0' }],
    [{ 'Content-Type': 'text/plain' }],
    [{ 'Transfer-Encoding': 'chunked' }],
    [{ Connection: 'close' }],
    [{ Upgrade: 'h2c' }],
    [{ Expect: '100-continue' }],
    [{ 'Webhook-Signature': 'v1,x' }],
    [{ 'webhook-id': 'x' }],
    [{ 'Proxy-Authorization': 'x' }],
    [{ 'X-A': 'a\r\nX-B: b' }],
    [{ 'X-A': 'a\nb' }],
    [{ 'X-A': 'a\0b' }],
    [{ 'X-A': 'caf\u00e9' }],
    [{ 'X-A': 'a\u2028b' }],
    [{ 'X-A': ' a' }],
    [{ 'X-A': 'x'.repeat(5000) }],
    [{ 'X A': 'a' }],
    [{ 'X-A:': 'a' }],
    [{ 'X-A\r\n': 'a' }],
    [{ '': 'a' }],
    [{ 'X-A': 'a', 'x-a': 'b' }],
    [Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`x-${index}`, 'a']))],
  ])('refuses the headers %j', (headers) => {
    expect(parseChannelConfig({ ...webhook, headers })).toMatchObject({ ok: false, faults: [{ pointer: '/headers' }] });
  });

  it('repeats no value in its faults, since any of them may be a secret', () => {
    const input = {
      kind: 'webhook',
      url: 'ftp://planted',
      secret: 'planted',
      method: 'planted',
      headers: { x: 'planted\n' },
    };
    expect(JSON.stringify(parseChannelConfig(input))).not.toContain('planted');
  });
});
