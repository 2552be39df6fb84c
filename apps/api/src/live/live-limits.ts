/** LiveLimits bound what the live feed holds and does for its clients. */
export interface LiveLimits {
  /** Items of one kind that a project's log keeps for clients that are behind or come back. */
  readonly keepItems: number;
  /** Bytes (estimated) of one kind that a project's log keeps. */
  readonly keepBytes: number;
  /** How long a project's log goes on being kept when its last client has left, ms. */
  readonly lingerMs: number;
  /** Least time between two frames of deltas to one client, ms: 50 makes 20 frames a second. */
  readonly frameGapMs: number;
  /** Most bytes of items that are sent at one time. */
  readonly roundBytes: number;
  /** A client with more bytes than this unsent gets nothing until they are gone; meanwhile its oldest items are lost. */
  readonly softBytes: number;
  /** A client with more bytes than this unsent is closed with 1013. */
  readonly hardBytes: number;
  /** A client over softBytes that takes nothing for this long is closed with 1013, ms. */
  readonly stallMs: number;
  /** A client that was silent for this long is pinged, and ended when it is silent for as long again, ms. */
  readonly heartbeatMs: number;
  /** How long a closed client may take to go before its connection is cut, ms. */
  readonly closeGraceMs: number;
  /** How often clients are looked at for the three times above, ms. */
  readonly tickMs: number;
  /** How long the fan-out works before it lets the event loop turn, ms. */
  readonly sliceMs: number;
  /** Newest metrics in a snapshot. */
  readonly snapshotMetrics: number;
  /** Firing alerts in a snapshot. */
  readonly snapshotAlerts: number;
}

/** LIVE_LIMITS are the limits unless told otherwise. */
export const LIVE_LIMITS: LiveLimits = Object.freeze({
  keepItems: 2000,
  keepBytes: 2 * 1024 * 1024,
  lingerMs: 300_000,
  frameGapMs: 50,
  roundBytes: 256 * 1024,
  softBytes: 256 * 1024,
  hardBytes: 1024 * 1024,
  stallMs: 10_000,
  heartbeatMs: 30_000,
  closeGraceMs: 2000,
  tickMs: 1000,
  sliceMs: 5,
  snapshotMetrics: 100,
  snapshotAlerts: 500,
});
