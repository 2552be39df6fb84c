import { registerDecorator } from 'class-validator';

/**
 * TextLength bounds a text in UTF-16 units, as the schemas of metrics do: class-validator's own Length counts a pair
 * of surrogates once, so it would take names that no metric can carry. What is no text passes; absent or null too.
 */
export function TextLength(min: number, max: number): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: 'textLength',
      target: target.constructor,
      propertyName: String(property),
      validator: {
        validate: (value: unknown) => typeof value !== 'string' || (value.length >= min && value.length <= max),
        defaultMessage: () => `$property must have ${min} to ${max} characters`,
      },
    });
  };
}
