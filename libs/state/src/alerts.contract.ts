import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert, AlertEvent } from './alert.js';
import { Alerts } from './alerts.js';
import { Deliveries } from './deliveries.js';
import {
  aFiring,
  anEscalation,
  anEvent,
  aResolution,
  committed,
  type MakeEngine,
  useState,
} from './engine.contract.js';
import { deliveryId, eventId } from './identity.js';

/** describePort states what holds for alerts and their transitions on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another } = useState(makeEngine);

  describe('a transition', () => {
    it('writes the alert, its event and one delivery a channel', async () => {
      const alerts = new Alerts(state());
      const firing = aFiring(10, { channelIds: ['c1', 'c2', 'c1'] });
      const { alert, events, deliveryIds } = committed(await alerts.commitTransition(firing));
      expect(alert).toEqual({
        ...firing.next,
        ...firing.key,
        id: firing.id,
        alertType: 'latency',
        incident: 1,
        version: 1,
      });
      expect(await alerts.get('p', alert.id)).toEqual(alert);
      expect(await alerts.events(alert.id)).toEqual(events);
      const identity = { ...firing.key, incident: 1, event: 'fired', severity: 'low' };
      expect(events.map((event) => event.eventId)).toEqual([eventId(identity)]);
      expect(deliveryIds).toEqual(['c1', 'c2'].map((channel) => deliveryId(eventId(identity), channel)));
      const ledger = await new Deliveries(state()).list({ project: 'p', limit: 10 });
      expect(ledger.map(({ id }) => id).toSorted()).toEqual(deliveryIds.toSorted());
      const payload = JSON.stringify({ alert: alert.id, event: eventId(identity) });
      for (const delivery of ledger)
        expect(delivery).toMatchObject({ status: 'pending', dueMs: 10, attempts: 0, alertId: alert.id, payload });
    });

    it('commits once when two handles see the same breach, and shows the loser what won', async () => {
      const handles = [new Alerts(state()), new Alerts(await another())];
      const outcomes = await Promise.all(handles.map((alerts) => alerts.commitTransition(aFiring(10))));
      const won = outcomes.find((outcome) => outcome.outcome === 'committed');
      const lost = outcomes.find((outcome) => outcome.outcome === 'conflict');
      expect(won?.outcome === 'committed' && won.alert).toEqual(lost?.outcome === 'conflict' && lost.current);
      expect(await state().db.selectFrom('alert_events').select('event_id').execute()).toHaveLength(1);
      expect(await state().db.selectFrom('deliveries').select('id').execute()).toHaveLength(1);
    });

    it('is refused from a version that somebody else has moved on, and leaves nothing behind', async () => {
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      const escalated = committed(await alerts.commitTransition(anEscalation(alert, 20)));
      expect(escalated.alert).toMatchObject({ severity: 'critical', version: 2, incident: 1 });
      const late = await alerts.commitTransition(aResolution(alert, 30));
      expect(late).toEqual({ outcome: 'conflict', current: escalated.alert });
      expect((await alerts.events(alert.id)).map((event) => event.kind)).toEqual(['fired', 'escalated']);
    });

    it('never changes an alert that is resolved', async () => {
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      const resolved = committed(await alerts.commitTransition(aResolution(alert, 20))).alert;
      expect(await alerts.commitTransition(anEscalation(resolved, 30))).toEqual({
        outcome: 'conflict',
        current: resolved,
      });
      expect(await alerts.firing(alert)).toBeNull();
    });

    it('counts the incidents of each rule of each model', async () => {
      const alerts = new Alerts(state());
      const incidents: unknown[] = [];
      for (const key of [{}, { rule: 'drift_data' }, {}, { modelId: 'n' }, { project: 'q' }, {}] as const) {
        const { alert } = committed(await alerts.commitTransition(aFiring(10, { key })));
        incidents.push(alert.incident);
        await alerts.commitTransition(aResolution(alert, 20));
      }
      expect(incidents).toEqual([1, 1, 2, 1, 1, 3]);
    });

    it('keeps the acknowledgement and who resolved it, with their words', async () => {
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      const acknowledged = { by: 'Ada', comment: 'on it', atMs: 20 };
      const mark = anEvent(20, { kind: 'acknowledged', by: 'Ada', comment: 'on it', channelIds: [] });
      const payload = () => '{}';
      const seen = { previous: alert, next: { ...alert, acknowledged }, events: [mark], payload };
      const after = committed(await alerts.commitTransition(seen)).alert;
      const next = { ...after, resolvedMs: 30, resolvedBy: 'Bob', resolveComment: 'rolled back' };
      committed(await alerts.commitTransition({ previous: after, next, events: [], payload }));
      expect(await alerts.get('p', alert.id)).toEqual({ ...next, version: 3 });
      expect((await alerts.events(alert.id))[1]).toMatchObject({ kind: 'acknowledged', by: 'Ada', comment: 'on it' });
      expect(await state().db.selectFrom('deliveries').select('id').execute()).toHaveLength(1);
    });

    it('is undone whole when one of its events is there already', async () => {
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      const twice = { ...anEscalation(alert, 20), events: [anEvent(20)] };
      await expect(alerts.commitTransition(twice)).rejects.toThrow();
      expect(await alerts.get('p', alert.id)).toEqual(alert);
      expect(committed(await alerts.commitTransition(anEscalation(alert, 30))).alert.version).toBe(2);
    });
  });

  describe('counts', () => {
    it('of several instances add up, in any order and without a new version', async () => {
      const handles = [new Alerts(state()), new Alerts(await another())];
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      const older = { id: alert.id, occurrences: 20, value: 1150, peak: 1300, lastBreachMs: 40 };
      const newer = { id: alert.id, occurrences: 50, value: 1200, peak: 1800, lastBreachMs: 90 };
      const nobody = { ...older, id: 'nobody' };
      const saved = await alerts.saveCounts([newer, nobody]);
      expect([...saved]).toEqual([[alert.id, { ...alert, ...newer, occurrences: 51 }]]);
      await alerts.saveCounts([older]);
      expect(await alerts.loadFiring()).toEqual([{ ...alert, ...newer, occurrences: 71 }]);
      expect(await alerts.saveCounts([])).toEqual(new Map());
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => handles[i % 2]?.saveCounts([{ ...older, occurrences: 2 }])),
      );
      expect(await alerts.get('p', alert.id)).toMatchObject({ occurrences: 111, peak: 1800, version: 1 });
    });

    it('that others saved meanwhile are kept by a transition, which adds its own', async () => {
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      await alerts.saveCounts([{ id: alert.id, occurrences: 50, value: 1200, peak: 1800, lastBreachMs: 90 }]);
      const escalation = anEscalation(alert, 60);
      const next = { ...escalation.next, occurrences: 4, value: 1500, peak: 1500, lastBreachMs: 60 };
      const escalated = committed(await alerts.commitTransition({ ...escalation, next })).alert;
      expect(escalated).toMatchObject({ occurrences: 54, value: 1200, peak: 1800, lastBreachMs: 90, version: 2 });
      expect(await alerts.get('p', alert.id)).toEqual(escalated);
    });

    it('stop the end of an alert that was taken for quiet', async () => {
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      const quietEnd = (seen: Alert) => alerts.commitTransition({ ...aResolution(seen, 99), ifQuiet: true });
      await alerts.saveCounts([{ id: alert.id, occurrences: 1, value: 1200, peak: 1200, lastBreachMs: 90 }]);
      const refused = await quietEnd(alert);
      expect(refused).toMatchObject({ outcome: 'conflict', current: { occurrences: 2, resolvedMs: null } });
      const current = refused.outcome === 'conflict' ? refused.current : null;
      expect(committed(await quietEnd(current ?? alert)).alert).toMatchObject({ resolvedMs: 99, occurrences: 2 });
    });

    it('are seen by the marks of what is firing, and read by id', async () => {
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      const ended = committed(await alerts.commitTransition(aFiring(10, { key: { modelId: 'n' } }))).alert;
      await alerts.commitTransition(aResolution(ended, 20));
      await alerts.saveCounts([{ id: alert.id, occurrences: 5, value: 1, peak: 1, lastBreachMs: 20 }]);
      const { project, modelId, rule, id } = alert;
      expect(await alerts.marks()).toEqual([{ project, modelId, rule, id, version: 1, occurrences: 6 }]);
      const ids = [...Array.from({ length: 600 }, (_, i) => `nobody${i}`), alert.id, ended.id];
      expect((await alerts.byIds(ids)).map((found) => found.id).toSorted()).toEqual([alert.id, ended.id].toSorted());
    });

    it('of a resolved alert stay as they were', async () => {
      const alerts = new Alerts(state());
      const { alert } = committed(await alerts.commitTransition(aFiring(10)));
      await alerts.commitTransition(aResolution(alert, 20));
      await alerts.saveCounts([{ id: alert.id, occurrences: 50, value: 1, peak: 1, lastBreachMs: 90 }]);
      expect(await alerts.get('p', alert.id)).toMatchObject({ occurrences: 1, lastBreachMs: 10 });
      expect(await alerts.loadFiring()).toEqual([]);
    });
  });

  describe('the list', () => {
    it('is newest first, by every filter, and page by page without a gap or a repeat', async () => {
      const alerts = new Alerts(state());
      const made: Alert[] = [];
      for (let i = 0; i < 12; i++) {
        const key = { modelId: `m${i}`, rule: i % 2 ? 'latency' : 'drift_data' } as const;
        const { alert } = committed(await alerts.commitTransition(aFiring(Math.floor(i / 4), { key })));
        made.push(i % 3 ? alert : committed(await alerts.commitTransition(aResolution(alert, 50))).alert);
      }
      const all = { project: 'p', sinceMs: 0, limit: 100 };
      const ids = async (filter: object) => new Set((await alerts.list({ ...all, ...filter })).map(({ id }) => id));
      const those = (is: (alert: Alert) => boolean) => new Set(made.filter(is).map(({ id }) => id));
      expect(await ids({})).toEqual(those(() => true));
      expect(await ids({ sinceMs: 1, untilMs: 1 })).toEqual(those((alert) => alert.startedMs === 1));
      expect(await ids({ resolved: true })).toEqual(those((alert) => alert.resolvedMs !== null));
      expect(await ids({ resolved: false, alertType: 'drift' })).toEqual(
        those((alert) => alert.resolvedMs === null && alert.rule === 'drift_data'),
      );
      expect(await ids({ modelId: 'm3', severity: 'low' })).toEqual(those((alert) => alert.modelId === 'm3'));
      expect(await ids({ severity: 'high' })).toEqual(new Set());
      expect(await ids({ project: 'q' })).toEqual(new Set());
      const pages: Alert[] = [];
      for (let page = await alerts.list({ ...all, limit: 5 }); page.length > 0;) {
        pages.push(...page);
        page = await alerts.list({ ...all, limit: 5, before: pages.at(-1) });
      }
      expect(pages).toEqual(await alerts.list(all));
      expect(pages.map((alert) => alert.startedMs)).toEqual([2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0]);
      expect(await alerts.countFiring('p')).toBe(8);
      expect(await alerts.countFiring('p', 'm1')).toBe(1);
      expect(await alerts.countFiring('q')).toBe(0);
      expect(await alerts.get('q', made[0]?.id ?? '')).toBeNull();
    });
  });

  it('keeps one firing alert a key, whole histories and whole outboxes, whatever the interleaving', async () => {
    const handles = [new Alerts(state()), new Alerts(await another())];
    const step = fc.record({
      handle: fc.nat({ max: 1 }),
      model: fc.constantFrom('a', 'b'),
      act: fc.constantFrom('fire', 'escalate', 'resolve'),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 2, maxLength: 6 }), { maxLength: 8 }), async (rounds) => {
        const project = `run${run++}`;
        let atMs = 1;
        for (const round of rounds) {
          const seen = new Map(
            (await handles[0]?.list({ project, sinceMs: 0, resolved: false, limit: 9 }))?.map((a) => [a.modelId, a]),
          );
          const racing = round.flatMap(({ handle, model, act }) => {
            const previous = seen.get(model);
            const fire = aFiring(atMs++, { key: { project, modelId: model }, channelIds: ['c1', 'c2'] });
            const move =
              previous && (act === 'escalate' ? anEscalation(previous, atMs++) : aResolution(previous, atMs++));
            if (act === 'escalate' && previous?.severity === 'critical') return [];
            return handles[handle]?.commitTransition(act === 'fire' || !move ? fire : move) ?? [];
          });
          await Promise.all(racing);
        }
        await expectWhole(handles[0] ?? new Alerts(state()), project);
      }),
      { numRuns: 25 },
    );
  });

  async function expectWhole(alerts: Alerts, project: string): Promise<void> {
    const all = await alerts.list({ project, sinceMs: 0, limit: 1000 });
    const ledger = await new Deliveries(state()).list({ project, limit: 1000 });
    const events: AlertEvent[] = [];
    for (const modelId of ['a', 'b']) {
      const mine = all.filter((alert) => alert.modelId === modelId).toSorted((a, b) => a.incident - b.incident);
      expect(mine.map((alert) => alert.incident)).toEqual(mine.map((_, index) => index + 1));
      expect(mine.slice(0, -1).every((alert) => alert.resolvedMs !== null)).toBe(true);
      for (const alert of mine) {
        const history = await alerts.events(alert.id);
        events.push(...history);
        const kinds = ['fired', ...(alert.severity === 'critical' ? ['escalated'] : [])];
        if (alert.resolvedMs !== null) kinds.push('resolved');
        expect(history.map((event) => event.kind)).toEqual(kinds);
        expect(alert.version).toBe(history.length);
      }
    }
    expect(new Set(events.map((event) => event.eventId)).size).toBe(events.length);
    const expected = events.flatMap((event) =>
      (event.kind === 'fired' ? ['c1', 'c2'] : ['c1']).map((channel) => deliveryId(event.eventId, channel)),
    );
    expect(ledger.map(({ id }) => id).toSorted()).toEqual(expected.toSorted());
  }
}
