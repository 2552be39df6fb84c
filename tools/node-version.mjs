/** NODE_FLOOR is the oldest Node that Tidemark runs on. */
const NODE_FLOOR = '20.19.0';

/** nodeFault says in one line why this version of Node will not do, or null. */
export function nodeFault(version) {
  const found = version.replace(/^v/, '').split(/[.-]/).map(Number);
  const floor = NODE_FLOOR.split('.').map(Number);
  for (let i = 0; i < 3; i++) {
    if (found[i] > floor[i]) return null;
    if (!(found[i] >= floor[i])) {
      return `Tidemark needs Node.js ${NODE_FLOOR} or newer, and this is ${version}. Install one from https://nodejs.org and try again.`;
    }
  }
  return null;
}

/** requireNode ends the process with one clear line when Node is too old. */
export function requireNode() {
  const fault = nodeFault(process.version);
  if (fault === null) return;
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
