import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from './rig/client.js';
import { type Manifest, readManifests, schemaFaults } from './rig/manifests.js';

let manifests: Manifest[] = [];
beforeAll(async () => {
  manifests = await readManifests();
});

const all = (kind: string): Json[] => manifests.map(({ document }) => document).filter((one) => one.kind === kind);
const named = (kind: string, name: string): Json => all(kind).find(({ metadata }) => metadata.name === name);
const workloads = (): Json[] => ['StatefulSet', 'Deployment', 'Job'].flatMap(all);
const podsOf = (labels: Json): Json[] =>
  workloads().filter(({ spec }) => {
    return Object.entries(labels).every(([name, value]) => spec.template.metadata.labels[name] === value);
  });
const seconds = (text: string): number => Number(/^(\d+)s$/.exec(text)?.[1]);

describe('the manifests of Kubernetes', () => {
  test('follow the schemas that Kubernetes publishes', () => {
    const kinds = manifests.filter(({ document }) => document.kind !== 'Kustomization');
    expect(kinds.length).toBeGreaterThan(15);
    for (const { file, document } of kinds) {
      expect(schemaFaults(document), `${file}: ${document.kind} ${document.metadata.name}`).toEqual([]);
    }
  });

  test('would not pass with a fault: a wrong type, an unknown member or kind is found', () => {
    const worker = (): Json => structuredClone(named('Deployment', 'tidemark-worker'));
    const faults = (change: (document: Json) => void): string[] => {
      const document = worker();
      change(document);
      return schemaFaults(document);
    };
    expect(faults(() => undefined)).toEqual([]);
    expect(faults((one) => (one.spec.replicas = 'two'))).not.toEqual([]);
    expect(faults((one) => (one.spec.template.spec.containers[0].readinesProbe = {}))).toEqual([
      '/spec/template/spec/containers/0/readinesProbe',
    ]);
    expect(faults((one) => (one.kind = 'Deploymnt'))).toEqual(['there is no apps/v1 Deploymnt']);
  });

  test('are all listed, but for examples', () => {
    const [{ resources }] = all('Kustomization');
    const files = new Set(manifests.map(({ file }) => file));
    for (const name of ['kustomization.yaml', 'secret.example.yaml', 'first-key.example.yaml']) files.delete(name);
    expect([...resources].sort()).toEqual([...files].sort());
  });

  test('select pods that there are, and each workload its own', () => {
    for (const { kind, spec } of workloads().filter(({ kind }) => kind !== 'Job')) {
      expect(podsOf(spec.selector.matchLabels).map((one) => one.kind)).toEqual([kind]);
      for (const { labelSelector } of spec.template.spec.topologySpreadConstraints) {
        expect(labelSelector).toEqual(spec.selector);
      }
    }
    for (const { spec } of all('Service')) expect(podsOf(spec.selector)).toHaveLength(1);
    for (const { spec } of all('PodDisruptionBudget')) expect(podsOf(spec.selector.matchLabels)).toHaveLength(1);
    for (const { metadata, spec } of all('NetworkPolicy')) {
      expect(podsOf(spec.podSelector.matchLabels ?? {}), metadata.name).not.toEqual([]);
    }
    expect(named('StatefulSet', 'tidemark-api').spec.serviceName).toBe('tidemark-api-instances');
    expect(named('Service', 'tidemark-api-instances').spec.clusterIP).toBe('None');
  });

  test('speak to ports that are open, and to those that the programs are told', () => {
    const { data } = named('ConfigMap', 'tidemark');
    for (const [kind, name, port] of [
      ['StatefulSet', 'tidemark-api', data.API_PORT],
      ['Deployment', 'tidemark-worker', data.WORKER_PORT],
    ]) {
      const [container] = named(kind, name).spec.template.spec.containers;
      expect(container.ports).toEqual([{ name: 'http', containerPort: Number(port) }]);
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        expect(container[probe].httpGet).toEqual({
          path: probe === 'readinessProbe' ? '/readyz' : '/livez',
          port: 'http',
        });
      }
    }
    for (const { spec } of all('Service')) expect(spec.ports[0].targetPort).toBe('http');
    const told = new Set([Number(data.API_PORT), Number(data.WORKER_PORT)]);
    const opened = all('NetworkPolicy')
      .flatMap(({ spec }) => spec.ingress ?? [])
      .flatMap(({ ports }) => ports);
    expect(new Set(opened.map(({ port }) => port))).toEqual(told);
  });

  test('set only what Tidemark knows, and refer only to what there is', async () => {
    const page = await readFile(new URL('../docs/configuration.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name);
    const production = [
      'WORKER_HOST',
      'WORKER_PORT',
      'INFLUXDB_URL',
      'INFLUXDB_ORG',
      'INFLUXDB_BUCKET',
      'INFLUXDB_TOKEN',
    ];
    const known = new Set([...documented, ...production, 'REDIS_URL', 'DATABASE_URL']);
    const set = [
      ...Object.keys(named('ConfigMap', 'tidemark').data),
      ...Object.keys(named('Secret', 'tidemark').stringData),
    ];
    for (const name of set) expect(known).toContain(name);
    expect(new Set(set).size).toBe(set.length);
    for (const { spec } of workloads()) {
      expect(spec.template.spec.containers[0].envFrom).toEqual([
        { configMapRef: { name: 'tidemark' } },
        { secretRef: { name: 'tidemark' } },
      ]);
    }
    for (const { spec } of all('HorizontalPodAutoscaler')) {
      const { kind, name } = spec.scaleTargetRef;
      expect(named(kind, name).spec.replicas).toBe(spec.minReplicas);
      expect(spec.minReplicas).toBeGreaterThan(1); // or a budget of one unavailable is none at all
    }
  });

  test('give every pod as little as it needs', () => {
    for (const { spec } of workloads()) {
      const pod = spec.template.spec;
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const container of pod.containers) {
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: {
            requests: { cpu: expect.any(String), memory: expect.any(String) },
            limits: { memory: expect.stringMatching(/^\d+[MG]i$/) },
          },
        });
        const volumes = [
          ...(pod.volumes ?? []),
          ...(spec.volumeClaimTemplates ?? []).map(({ metadata }: Json) => metadata),
        ];
        for (const { name } of container.volumeMounts) expect(volumes.map((one) => one.name)).toContain(name);
        expect(container.volumeMounts.map((one: Json) => one.mountPath)).toContain('/data');
      }
    }
  });

  test('wait for an instance that stops at least as long as it may take', () => {
    const drainS = seconds(named('ConfigMap', 'tidemark').data.TIDEMARK_DRAIN_TIMEOUT);
    for (const { spec } of workloads().filter(({ kind }) => kind !== 'Job')) {
      const { terminationGracePeriodSeconds, containers } = spec.template.spec;
      const pauseS = Number(containers[0].lifecycle?.preStop.exec.command[1] ?? 0);
      expect(terminationGracePeriodSeconds).toBeGreaterThan(pauseS + drainS);
    }
  });

  test('hold no secret: every value of the example asks for one', () => {
    for (const value of Object.values(named('Secret', 'tidemark').stringData)) expect(value).toMatch(/<[^>]+>/);
  });
});
