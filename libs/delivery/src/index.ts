export {
  type AddressGuard,
  type AllowListResult,
  type AllowRule,
  createAddressGuard,
  parseAllowList,
} from './channels/address-guard.js';
export { type Channel, type Outcome, type Reject, type Retry, type Sent } from './channels/channel.js';
export {
  type ChannelConfig,
  type ChannelConfigResult,
  type ConfigFault,
  type EmailConfig,
  parseChannelConfig,
  type SlackConfig,
  type WebhookConfig,
} from './channels/channel-config.js';
export { ChannelKinds } from './channels/channel-kinds.js';
export { ChannelDirectory, type ChannelDirectoryOptions, type SealedChannel } from './channels/channel-directory.js';
export { loadClientOf, loadClients } from './channels/client-libraries.js';
export { type Resolve, systemResolve } from './channels/guarded-connect.js';
export { type Mailbox, parseMailbox } from './channels/mail-address.js';
export { type ChannelDeps, type OpenChannelResult } from './channels/open-channel.js';
export { type ChannelSettings, openChannels, type OpenChannels } from './channels/open-channels.js';
export {
  openSafeFetch,
  type SafeFetch,
  type SafeFetchOptions,
  type SafeFetchResult,
  type SafeRequest,
  type SafeResponse,
} from './channels/safe-fetch.js';
export { parseSmtpUrl, type SmtpServer, type SmtpUrlResult } from './channels/smtp-server-url.js';
export { newWebhookSecret } from './channels/webhook-signature.js';
export { type ChannelLookup, deliver, type DeliverDeps, type DeliveryOutcome } from './deliver.js';
export { DEFAULT_DELIVERY_LIMITS, type DeliveryLimitSettings } from './limit/delivery-limits.js';
export { MemoryLimiter, type MemoryLimiterOptions } from './limit/memory-limiter.js';
export { type Limit, type RateLimiter, type Take } from './limit/rate-limiter.js';
export { seedLimiter } from './limit/seed-limiter.js';
export { testNotification, type TestNotificationInput } from './message/test-notification.js';
export { type Notification, type NotificationEvent } from './notification.js';
export { type JobCounts } from './queue/delivery-jobs.js';
export { type DeliveryQueue, type QueueReport, type QueueStats } from './queue/delivery-queue.js';
export { OutboxQueue, type OutboxQueueOptions } from './queue/outbox-queue.js';
export { type OpenSealResult, seal, unseal } from './secrets/seal.js';
export { loadOrCreateKey, type SealingKeyResult, type SealingKeySource } from './secrets/sealing-key.js';
