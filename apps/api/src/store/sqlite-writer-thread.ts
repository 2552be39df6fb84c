import { serve, threadInput } from '@tidemark/sqlite/thread';
import type { WriteMessage, WriterInput } from './store-messages.js';
import { StoreWriter } from './store-writer.js';

const input = threadInput<WriterInput>();
const writer = StoreWriter.open(input.file);
const lastSeq = writer.lastSeq();

serve({
  opened() {
    return { value: { lastSeq } };
  },
  write(message: WriteMessage) {
    return { value: writer.write(message) };
  },
  stats() {
    return { value: writer.stats() };
  },
  ping(nowMs: number) {
    writer.ping(nowMs);
  },
  close() {
    writer.close();
  },
});
