import tseslint from 'typescript-eslint';
import { importBoundaries } from './tools/lint/import-boundaries.mjs';
import { environment } from './tools/lint/environment.mjs';

const NO_EXPORT_ALL = {
  selector: 'ExportAllDeclaration',
  message: 'Export by name: a door says what it offers.',
};
const NO_DEFAULT_EXPORT = {
  selector: ':matches(ExportDefaultDeclaration, ExportSpecifier[exported.name="default"])',
  message: 'Export by name: one thing has one name everywhere.',
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'coverage/**', 'data/**', 'data-stack/**', '**/*.d.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A port may be asynchronous where one of its adapters is not.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // What a test reads back is any JSON; it is checked by the expectation that follows.
    files: ['**/*.{test,contract}.ts', 'test/**/*.ts', 'libs/*/test/**/*.ts', '**/rig/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.{ts,js,mjs}'],
    plugins: { tidemark: { rules: { 'import-boundaries': importBoundaries, environment } } },
    rules: {
      'tidemark/import-boundaries': 'error',
      'tidemark/environment': 'error',
      'no-restricted-syntax': ['error', NO_EXPORT_ALL, NO_DEFAULT_EXPORT],
      'max-lines': ['error', 400],
      eqeqeq: 'error',
      'no-control-regex': 'error',
      'no-fallthrough': 'error',
      'no-self-assign': 'error',
      'no-unsafe-finally': 'error',
      'prefer-const': 'error',
      'no-var': 'error',
    },
  },
  { files: ['*.config.{ts,js}'], rules: { 'no-restricted-syntax': ['error', NO_EXPORT_ALL] } },
);
