import { serve, threadInput } from '@tidemark/sqlite/thread';
import type { AggregateQuery, Range } from './point-store.js';
import type { ReaderInput, RecentMessage, RecordMessage } from './store-messages.js';
import { StoreReader } from './store-reader.js';

const reader = StoreReader.open(threadInput<ReaderInput>().file);

serve({
  warm() {
    reader.warm();
  },
  recent(message: RecentMessage) {
    const columns = reader.recent(message);
    const { owners, times, seqs, builtIn, customValues, customRows, customPlaces, requestIdLengths } = columns;
    const arrays = [owners, times, seqs, ...builtIn, customValues, customRows, customPlaces, requestIdLengths];
    return { value: columns, transfer: arrays.map((array) => array.buffer as ArrayBuffer) };
  },
  recentDrift(message: RecentMessage) {
    return { value: reader.recentDrift(message) };
  },
  aggregate(query: AggregateQuery) {
    return { value: reader.aggregate(query) };
  },
  summary(range: Range) {
    return { value: reader.summary(range) };
  },
  activeSeries(sinceMs: number) {
    return { value: reader.activeSeries(sinceMs) };
  },
  metricNames({ project, modelId }: { readonly project: string; readonly modelId: string }) {
    return { value: reader.metricNames(project, modelId) };
  },
  findRecord(message: RecordMessage) {
    return { value: reader.findRecord(message) };
  },
  close() {
    reader.close();
  },
});
