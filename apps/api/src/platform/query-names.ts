import type { ItemFault } from '@tidemark/types';
import { pointerTo } from '../ingest/json-pointer.js';
import { closestName } from './closest-name.js';
import { docOf } from './openapi/openapi.js';
import { isStrict } from './openapi/route-doc.js';
import { faultDetail } from './fault-detail.js';
import { HttpProblem } from './problem.js';

/** How many unknown parameters an answer names; a URL has room for thousands. */
const MAX_FAULTS = 20;
const MAX_NAME = 64;

/**
 * refuseUnknownNames throws an invalid_query problem when a route, given as it is registered, is asked with parameters
 * that its description does not have: who misspelt one would get the answer to another question than they asked.
 */
export function refuseUnknownNames(method: string, route: string, given: readonly string[]): void {
  if (given.length === 0) return;
  const doc = docOf(method, route);
  if (!doc || !isStrict(doc)) return;
  const names = Object.keys(doc.query?.properties ?? {});
  const unknown = given.filter((name) => !names.includes(name));
  const errors = unknown.slice(0, MAX_FAULTS).map((name) => faultOf(name.slice(0, MAX_NAME), names));
  const [first] = errors;
  if (!first) return;
  const told = JSON.stringify(unknown[0]?.slice(0, MAX_NAME));
  throw new HttpProblem('invalid_query', faultDetail(told, first.message, unknown.length), { errors });
}

function faultOf(name: string, names: readonly string[]): ItemFault {
  const closest = closestName(name, names);
  const takes = names.length === 0 ? 'it takes none' : `it takes ${names.join(', ')}`;
  const hint = closest === null ? takes : `did you mean ${closest}?`;
  return {
    pointer: pointerTo('', name),
    code: 'unknown_member',
    message: `is not a parameter of this route; ${hint}`,
  };
}
