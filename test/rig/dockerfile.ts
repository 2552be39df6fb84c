import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { Process } from '@tidemark/servers';

/** Instruction is one line of a Dockerfile: its word, and the rest. */
export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** readDockerfile reads the instructions of a Dockerfile, without comments. */
export function readDockerfile(text: string): Instruction[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => ({ word: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1) }));
}

/** BuiltImage is what a Dockerfile made without Docker: the files of its last stage below `root`, and what it runs. */
export interface BuiltImage {
  readonly root: string;
  readonly workdir: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface Stage {
  readonly root: string;
  workdir: string;
}

/**
 * buildWithoutDocker carries a Dockerfile out in a folder: each stage is a folder below it, COPY copies (from `context` what
 * its .dockerignore lets through) and RUN runs on this machine, but for lines that `instead` has a quicker way for. Users
 * and base images are not brought about.
 */
export async function buildWithoutDocker(
  context: string,
  folder: string,
  instead: Readonly<Record<string, string>> = {},
): Promise<BuiltImage> {
  const stages = new Map<string, Stage>();
  let stage: Stage = { root: folder, workdir: '/' };
  let command: string[] = [];
  const env: Record<string, string> = {};
  for (const { word, rest } of readDockerfile(await readFile(join(context, 'Dockerfile'), 'utf8'))) {
    const words = rest.split(' ');
    if (word === 'FROM') {
      stage = { root: join(folder, `stage-${stages.size}`), workdir: '/' };
      stages.set(words[2] ?? 'last', stage);
    } else if (word === 'WORKDIR') {
      stage.workdir = rest;
      await mkdir(join(stage.root, rest), { recursive: true });
    } else if (word === 'COPY') await copy(words, { stage, stages, context });
    else if (word === 'RUN') await run(instead[rest] ?? rest, join(stage.root, stage.workdir));
    else if (word === 'ENV') for (const pair of words) env[pair.split('=')[0] ?? ''] = pair.split('=')[1] ?? '';
    else if (word === 'CMD') command = JSON.parse(rest);
  }
  return { root: stage.root, workdir: join(stage.root, stage.workdir), command, env };
}

interface Places {
  readonly stage: Stage;
  readonly stages: ReadonlyMap<string, Stage>;
  readonly context: string;
}

async function copy(words: readonly string[], { stage, stages, context }: Places): Promise<void> {
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const [source = '', target = ''] = words.filter((word) => !word.startsWith('--'));
  const to = isAbsolute(target) ? join(stage.root, target) : join(stage.root, stage.workdir, target);
  if (from === undefined) {
    const isIgnored = readIgnore(await readFile(join(context, '.dockerignore'), 'utf8'));
    return copyContext(join(context, source), to, isIgnored);
  }
  const origin = join(stages.get(from)?.root ?? '', source);
  const place = target.endsWith('/') ? join(to, basename(source)) : to;
  await mkdir(dirname(place), { recursive: true });
  // A link stays what it says: the packages of a workspace are linked into node_modules.
  await cp(origin, place, { recursive: true, verbatimSymlinks: true });
}

async function copyContext(from: string, to: string, isIgnored: (path: string) => boolean): Promise<void> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name).slice(from.endsWith('/') ? from.length : from.length + 1);
    if (!entry.isFile() || isIgnored(path)) continue;
    await mkdir(dirname(join(to, path)), { recursive: true });
    await cp(join(from, path), join(to, path));
  }
}

/** The last pattern that fits a path, or a folder above it, decides. */
function readIgnore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const isKept = line.startsWith('!');
      const pattern = (isKept ? line.slice(1) : line)
        .replaceAll(/[.+]/g, '\\$&')
        .replaceAll('**/', '(?:.*/)?')
        .replaceAll(/(?<![.)])\*/g, '[^/]*');
      return { isKept, pattern: new RegExp(`^${pattern}(?:/.*)?$`) };
    });
  return (path) => rules.findLast(({ pattern }) => pattern.test(path))?.isKept === false;
}

async function run(line: string, cwd: string): Promise<void> {
  // Packages that were installed here once are not fetched again.
  const env = { npm_config_prefer_offline: 'true' };
  const started = Process.start({ command: 'sh', args: ['-c', `cd '${cwd}' && ${line}`], env });
  const { code } = await started.exited;
  if (code !== 0) throw new Error(`RUN ${line} ended with ${code}: ${started.output.slice(-4000)}`);
}
