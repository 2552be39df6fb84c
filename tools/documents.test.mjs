import { describe, expect, it } from 'vitest';
import { renderConfiguration, renderErrors } from './pages.mjs';
import { closingLine, filesToRepeat, sum, tallyChecks, tallyReport, withRepeated } from './tally.mjs';

const port = { env: 'API_PORT', byDefault: '8000', help: 'Port to listen on.' };
const url = { env: 'SMTP_URL', byDefault: '', help: 'smtp | smtps.' };
const concurrency = { env: 'TIDEMARK_WORKER_CONCURRENCY', byDefault: '16', help: 'Deliveries at once.' };

describe('the generated documents', () => {
  it('list every variable with its default, and say where there is none', () => {
    const page = renderConfiguration({ api: { port, url }, worker: { url } });
    expect(page).toContain('| `API_PORT` | `8000` | Port to listen on. |');
    expect(page).toContain('| `SMTP_URL` | (none) | smtp \\| smtps. |');
  });

  it('list what both programs read once, then what only one of them does', () => {
    const page = renderConfiguration({ api: { port, url }, worker: { concurrency, url } });
    const lines = page.split('\n').filter((line) => /^##|^\| `/.test(line));
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      '## Both',
      '| `SMTP_URL`',
      '## The',
      '| `API_PORT`',
      '## The',
      '| `TIDEMARK_WORKER_CONCURRENCY`',
    ]);
  });

  it('list problems by status and single faults', () => {
    const codes = {
      internal: { status: 500, title: 'It failed', help: 'See the log.' },
      not_found: { status: 404, title: 'No such thing', help: 'Check the id.' },
    };
    const page = renderErrors(codes, { type: 'The value has the wrong type.' });
    expect(page.indexOf('### not_found')).toBeLessThan(page.indexOf('### internal'));
    expect(page).toContain('**404** No such thing. Check the id.');
    expect(page).toContain('| `type` | The value has the wrong type. |');
  });
});

describe('the closing line', () => {
  const file = (status, ...statuses) => ({ status, assertionResults: statuses.map((one) => ({ status: one })) });

  it('counts tests by outcome, and all that did not run as skipped', () => {
    const testResults = [file('failed', 'passed', 'failed'), file('passed', 'passed', 'skipped', 'todo', 'pending')];
    expect(tallyReport({ success: false, testResults })).toEqual({ passed: 2, failed: 1, skipped: 3 });
  });

  it('counts a file that did not load, an error outside of tests and a missing report as failures', () => {
    expect(tallyReport({ success: false, testResults: [file('failed')] }).failed).toBe(1);
    expect(tallyReport({ success: false, testResults: [file('passed', 'passed')] }).failed).toBe(1);
    expect(tallyReport(null).failed).toBe(1);
  });

  it('adds checks to tests', () => {
    const checks = tallyChecks([
      { name: 'lint', ok: true },
      { name: 'types', ok: false },
    ]);
    expect(closingLine(sum(checks, { passed: 2, failed: 0, skipped: 1 }))).toBe('3 passed, 1 failed, 1 skipped');
  });

  it('takes the second results of a few files that failed, and keeps many failures as they are', () => {
    const named = (name, ...statuses) => ({ name, ...file(...statuses) });
    const testResults = [named('a', 'failed', 'passed', 'failed'), named('b', 'passed', 'passed')];
    const report = { success: false, testResults };
    expect(filesToRepeat(report)).toEqual(['a']);
    const well = { success: true, testResults: [named('a', 'passed', 'passed', 'passed')] };
    expect(tallyReport(withRepeated(report, well))).toEqual({ passed: 3, failed: 0, skipped: 0 });
    const ill = { success: false, testResults: [named('a', 'failed', 'failed', 'passed')] };
    expect(tallyReport(withRepeated(report, ill))).toEqual({ passed: 2, failed: 1, skipped: 0 });
    const many = ['a', 'b', 'c', 'd'].map((name) => named(name, 'failed', 'failed'));
    expect(filesToRepeat({ success: false, testResults: many })).toEqual([]);
  });
});
