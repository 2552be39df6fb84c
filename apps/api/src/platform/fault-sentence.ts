/** class-validator begins with the name of the member, which the pointer tells already. */
const OWN_NAME = /^(?:each value in |nested property )?[A-Za-z0-9_]+ /;

/** How each constraint of class-validator is told here, made of its own sentence without the name; the others are told as it tells them. */
const SENTENCES: Readonly<Record<string, (told: string) => string>> = {
  isNumber: () => 'must be a number',
  isInt: () => 'must be an integer',
  isBoolean: () => 'must be true or false',
  isPositive: () => 'must be above 0',
  nestedValidation: () => 'must be an object',
  min: (told) => told.replace('not be less than', 'be at least'),
  max: (told) => told.replace('not be greater than', 'be at most'),
  isIn: (told) => told.replace('the following values: ', ''),
  isLength: characters,
  minLength: characters,
  maxLength: characters,
  arrayMinSize: (told) => `must have at least ${counted(numbersIn(told)[0], 'item')}`,
  arrayMaxSize: (told) => `must have at most ${counted(numbersIn(told)[0], 'item')}`,
  // What is no rule of thumb for a person, such as a pattern, is told by the member itself.
  matches: (told) => (told.includes('regular expression') ? 'does not have the expected form' : told),
};

/** faultSentence makes a sentence of class-validator one of ours: without the member's name, and without its jargon. */
export function faultSentence(constraint: string, message: string): string {
  const told = message.replace(OWN_NAME, '');
  const sentence = Object.hasOwn(SENTENCES, constraint) ? SENTENCES[constraint]?.(told) : told;
  return `${message.startsWith('each value in ') ? 'each item ' : ''}${sentence}`;
}

function characters(told: string): string {
  const [first, second] = numbersIn(told);
  if (second !== undefined) return `must have ${first} to ${counted(second, 'character')}`;
  return `must have at ${told.includes('longer') ? 'least' : 'most'} ${counted(first, 'character')}`;
}

function numbersIn(text: string): readonly number[] {
  return [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

function counted(count: number | undefined, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
