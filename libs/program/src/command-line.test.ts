import { describe, expect, it } from 'vitest';
import { type CommandLine, readCommandLine } from './command-line.js';

const words = { name: 'tidemark', version: '1.2.3', help: 'how to\n', example: 'API_PORT=9000' };
const read = (...args: readonly string[]): CommandLine => readCommandLine(args, words);

describe('the arguments of a program', () => {
  it('let it run where there are none', () => {
    expect(read()).toEqual({ kind: 'run' });
    expect(read('--')).toEqual({ kind: 'run' });
  });

  it.each([['--help'], ['-h'], ['--port', '9000', '--help'], ['--version', '-h']])(
    'ask for help: %s %s %s',
    (...args) => {
      expect(read(...args)).toEqual({ kind: 'told', to: 'stdout', text: 'how to\n', exitCode: 0 });
    },
  );

  it('ask for the version', () => {
    expect(read('--version')).toEqual({ kind: 'told', to: 'stdout', text: '1.2.3\n', exitCode: 0 });
  });

  it.each([
    [['--port', '9000'], '--port 9000'],
    [['--port=9000'], '--port'],
    [['-p', '9000'], '-p 9000'],
    [['9000'], '9000'],
    [['--', '--help'], '--help'],
    [['--version', 'now'], 'now'],
    [['--constructor'], '--constructor'],
  ])('are refused where they are not known: %j', (args, named) => {
    const told = read(...args);
    expect(told).toMatchObject({ kind: 'told', to: 'stderr', exitCode: 2 });
    expect(told).toHaveProperty(
      'text',
      `tidemark: ${named}: only --help and --version are taken as arguments. Settings are environment variables, ` +
        'such as API_PORT=9000; docs/configuration.md lists them all.\n',
    );
  });
});
