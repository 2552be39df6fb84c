// Inflates what it reads from its standard input and tells how its memory grew: a process of its own, so that nothing
// else's memory is measured. Arguments: the module that exports `decode`, and the bound in bytes.
import { buffer } from 'node:stream/consumers';
const [module, maxBytes] = process.argv.slice(2);
const { decode } = await import(module);
const bomb = await buffer(process.stdin);
await decode(bomb.subarray(0, 0), undefined, 1);
let peak = 0;
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 1);
const before = process.memoryUsage().rss;
const code = await decode(bomb, 'gzip', Number(maxBytes)).then(
  () => 'accepted',
  (problem) => problem.code,
);
clearInterval(watch);
peak = Math.max(peak, process.memoryUsage().rss);
process.stdout.write(JSON.stringify({ code, grownBytes: peak - before }));
