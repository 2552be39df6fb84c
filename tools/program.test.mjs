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

  // A shell that has something left to do stays between npm and us; of the others, some become their only command.
  const SCRIPTS = { 'a shell that stays': 'node start.mjs && true', 'a shell that may go': 'node start.mjs' };
  const WAYS = Object.keys(SCRIPTS).flatMap((way) => ['SIGTERM', 'SIGHUP', 'SIGKILL'].map((signal) => [signal, way]));
  it.each(WAYS)('ends in order when npm gets %s, and npm alone, over %s', async (signal, way) => {
    const [command, args] = packageWith(SCRIPTS[way]);
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('running');
    child.kill(signal);
    expect(await rest(lines)).toEqual(['in order']);
  });

  it.each(['sh', 'bash'])('lives on when what launched npm ends, and npm does not, over %s', async (shell) => {
    const launcher = ['-c', '"$@" & echo $!; read -r line', 'launcher', ...packageWith('node start.mjs').flat()];
    const env = { ...process.env, npm_config_script_shell: shell };
    const child = spawn('sh', launcher, { cwd: folder, env, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const npm = Number((await lines.next()).value);
    expect((await lines.next()).value).toBe('running');
    child.stdin.end();
    await once(child, 'exit');
    for (let looks = 0; looks < 10; looks++) expect((await lines.next()).value).toBe('running');
    process.kill(npm, 'SIGTERM');
    expect(await rest(lines)).toEqual(['in order']);
  });
});

/** packageWith makes a package whose start runs a program that tells that it runs, and answers the command for it. */
function packageWith(start) {
  const file = join(folder, 'program.mjs');
  writeFileSync(
    file,
    `process.on('SIGTERM', () => { console.log('in order'); process.exit(0); });
     console.log('running');
     setInterval(() => console.log('running'), 100);`,
  );
  writeFileSync(
    join(folder, 'start.mjs'),
    `import { runProgram } from '${join(ROOT, 'tools/program.mjs')}'; runProgram('${file}', []);`,
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'a', version: '1.0.0', scripts: { start } }));
  return npmCommand(['start', '--silent']);
}

/** rest reads what is printed until the end, without what only tells that it runs. */
async function rest(lines) {
  const read = [];
  for await (const line of lines) if (line !== 'running') read.push(line);
  return read;
}
