import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT_READERS } from './house.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** environment is the ESLint rule that keeps process.env in config.ts and the programs' first files. */
export const environment = {
  meta: { type: 'problem', docs: { description: 'only config.ts reads the environment' }, schema: [] },
  create(context) {
    const file = relative(ROOT, context.filename).split(sep).join('/');
    if (ENVIRONMENT_READERS.some((pattern) => pattern.test(file))) return {};
    function report(node) {
      context.report({ node, message: 'reads the environment: only config.ts does; take the value as an argument' });
    }
    return {
      'MemberExpression[object.name="process"][property.name="env"]': report,
      'MemberExpression[object.name="process"][property.value="env"]': report,
      'VariableDeclarator[init.name="process"] > ObjectPattern > Property[key.name="env"]': report,
      'ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name="env"]': report,
    };
  },
};
