import { expect, it } from 'vitest';
import { commandsIn } from './server-counts.js';

it('adds up the calls of every command, subcommands too', () => {
  const info = [
    '# Commandstats',
    'cmdstat_ping:calls=12,usec=3,usec_per_call=0.25,rejected_calls=0,failed_calls=7',
    'cmdstat_client|setinfo:calls=4,usec=5,usec_per_call=1.25,rejected_calls=0,failed_calls=0',
    '',
  ];
  expect(commandsIn(info.join('\r\n'))).toBe(16);
});
