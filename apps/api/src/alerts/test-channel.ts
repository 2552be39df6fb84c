import { type ChannelDirectory, type Outcome, testNotification } from '@tidemark/delivery';
import { type Channel, newId, type Random } from '@tidemark/state';

const TIMEOUT_MS = 30_000;

/** TestChannelDeps are what a channel is tried with. */
export interface TestChannelDeps {
  readonly directory: ChannelDirectory;
  readonly random: Random;
  readonly wallMs: () => number;
}

/** testChannel sends a test notification at once, past every limit, and answers what the receiver said. */
export async function testChannel(channel: Channel, { directory, random, wallMs }: TestChannelDeps): Promise<Outcome> {
  const opened = directory.openSealed(channel);
  if (!opened.ok) return { kind: 'reject', reason: opened.reason };
  const { project, name } = channel;
  const notification = testNotification({ project, channelName: name, id: newId(random), nowMs: wallMs() });
  return opened.channel.send(notification, AbortSignal.timeout(TIMEOUT_MS));
}
