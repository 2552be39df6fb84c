import { registerDecorator } from 'class-validator';
import { isBadText } from '../ingest/series-registry.js';

/** IsCleanText refuses a text with control characters or half of a surrogate pair; absent or null passes. */
export function IsCleanText(): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: 'isCleanText',
      target: target.constructor,
      propertyName: String(property),
      validator: {
        validate: (value: unknown) => typeof value !== 'string' || !isBadText(value),
        defaultMessage: () => '$property holds a control character or half of a surrogate pair',
      },
    });
  };
}
