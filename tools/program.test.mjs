import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { npmCommand, ROOT } from './command.mjs';

let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-program-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** run runs a program the way npm start does and answers its lines and its end. */
function run(source) {
  const file = join(folder, 'program.mjs');
  writeFileSync(file, source);
  const code = `import('${join(ROOT, 'tools/program.mjs')}').then((m) => m.runProgram('${file}', ['an argument']))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, nextLine: async () => (await lines.next()).value, end: once(child, 'close') };
}

describe('a program run by npm start', () => {
  it('gets its arguments, and its exit code becomes ours', async () => {
    const { nextLine, end } = run('console.log(process.argv[2]); process.exitCode = 7;');
    expect(await nextLine()).toBe('an argument');
    expect(await end).toEqual([7, null]);
  });

  it('hears once of a signal that reaches us twice, and may take its time to end', async () => {
    const { child, nextLine, end } = run(`
      let heard = 0;
      process.on('SIGTERM', () => { heard++; setTimeout(() => { console.log(heard); process.exit(3); }, 100); });
      setInterval(() => {}, 1000);
      console.log('ready');
    `);
    await nextLine();
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    expect(await nextLine()).toBe('1');
    expect(await end).toEqual([3, null]);
  });

  it('that is killed ends us with the code that shells use', async () => {
    const { end } = run(`process.kill(process.pid, 'SIGKILL');`);
    expect(await end).toEqual([137, null]);
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGKILL'])('ends in order when npm gets %s, and npm alone', async (signal) => {
    const file = join(folder, 'program.mjs');
    writeFileSync(
      file,
      `process.on('SIGTERM', () => { console.log('in order'); process.exit(0); });
       setInterval(() => {}, 1000);
       console.log('ready');`,
    );
    writeFileSync(
      join(folder, 'start.mjs'),
      `import { runProgram } from '${join(ROOT, 'tools/program.mjs')}'; runProgram('${file}', []);`,
    );
    const scripts = { start: 'node start.mjs' };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'a', version: '1.0.0', scripts }));
    const [command, args] = npmCommand(['start', '--silent']);
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('ready');
    child.kill(signal);
    expect((await lines.next()).value).toBe('in order');
    expect((await lines.next()).done).toBe(true);
  });
});
