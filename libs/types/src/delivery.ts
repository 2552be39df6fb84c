import { type Static, Type } from '@sinclair/typebox';
import { oneOf, SEVERITIES } from './metric.js';

const nullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()]);

/** DELIVERY_STATUSES are the states of a delivery. */
export const DELIVERY_STATUSES = ['pending', 'sending', 'delivered', 'suppressed', 'dead'] as const;
/** DeliveryStatus is the state of a delivery. */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** DeliverySchema is one notification to one channel in the ledger. */
export const DeliverySchema = Type.Object(
  {
    id: Type.String(),
    alert_id: Type.String(),
    event_id: Type.String(),
    event: Type.String(),
    channel_id: Type.String(),
    model_id: Type.String(),
    severity: oneOf(SEVERITIES, 'Severity of the event.'),
    status: oneOf(DELIVERY_STATUSES, 'Where the notification is.'),
    attempts: Type.Integer(),
    due_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description:
        'When it is tried next; of a suppressed one, when it goes out if no other message sums it up before.',
    }),
    last_error: Type.Union([Type.String(), Type.Null()]),
    created_at: Type.String({ format: 'date-time' }),
    delivered_at: nullableTime,
  },
  { title: 'Delivery' },
);
/** Delivery is one notification to one channel in the ledger. */
export type Delivery = Static<typeof DeliverySchema>;
