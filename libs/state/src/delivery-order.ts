import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { literally } from './delivery.js';
import type { Schema } from './schema.js';

/** isFirstOfItsAlert holds a delivery back while an earlier one of the same alert and channel is open: nobody hears `resolved` before `fired`. */
export function isFirstOfItsAlert(is: ExpressionBuilder<Schema, 'deliveries'>): Expression<SqlBool> {
  const earlier = is
    .selectFrom('deliveries as earlier')
    .select('earlier.id')
    .whereRef('earlier.alert_id', '=', 'deliveries.alert_id')
    .whereRef('earlier.channel_id', '=', 'deliveries.channel_id')
    .whereRef('earlier.sequence', '<', 'deliveries.sequence')
    .where('earlier.status', 'in', literally('pending', 'sending'));
  return is.not(is.exists(earlier));
}
