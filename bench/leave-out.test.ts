import { expect, it } from 'vitest';
import { leaveOut } from './leave-out.js';

it('leaves out what needs a server that is not there, and only that', () => {
  const nothing = () => null;
  const advice = (...programs: readonly string[]) => `install ${programs.join(' ')}`;
  expect(leaveOut({ needs: ['nginx'] }, nothing)).toBeNull();
  expect(leaveOut({}, advice)).toBeNull();
  expect(leaveOut({ needs: ['nginx', 'influxd'] }, advice)).toContain('install nginx influxd');
});
