import { note, serve, threadInput } from '@tidemark/sqlite/thread';
import { Background } from './background.js';
import { FlushWork } from './flush-work.js';
import { RetainWork } from './retain-work.js';
import type { WriteMessage, WriterInput, WriterOpened } from './store-messages.js';
import { StoreWriter } from './store-writer.js';

const input = threadInput<WriterInput>();
const writer = StoreWriter.open(input);
const opened: WriterOpened = { lastSeq: writer.lastSeq(), newestMs: writer.state.newestMs };
const works = [new FlushWork(writer, input.pace, note), new RetainWork(writer, input.retention)];
const background = new Background(works, note);
background.nudge();

serve({
  opened() {
    return { value: opened };
  },
  write(message: WriteMessage) {
    const beganAt = performance.now();
    const value = writer.write(message);
    background.nudge(performance.now() - beganAt);
    return { value };
  },
  stats() {
    const { points, series } = writer.state;
    return { value: { points, series: series.size } };
  },
  ping() {
    writer.ping();
  },
  close() {
    background.close();
    writer.close();
  },
});
