import { serve, threadInput } from '@tidemark/sqlite/thread';
import { Background } from './background.js';
import { CompactWork } from './compact-work.js';
import { FoldWork } from './fold-work.js';
import { RetainWork } from './retain-work.js';
import type { WriteMessage, WriterInput } from './store-messages.js';
import { StoreWriter } from './store-writer.js';

const input = threadInput<WriterInput>();
const writer = StoreWriter.open(input);
const lastSeq = writer.lastSeq();
const background = new Background([
  new FoldWork(writer, input.pace),
  new RetainWork(writer, input.retention),
  new CompactWork(writer, input.pace),
]);
background.nudge();

serve({
  opened() {
    return { value: { lastSeq } };
  },
  write(message: WriteMessage) {
    const value = writer.write(message);
    background.nudge();
    return { value };
  },
  stats() {
    return { value: writer.stats() };
  },
  ping() {
    writer.ping();
  },
  close() {
    background.close();
    writer.close();
  },
});
