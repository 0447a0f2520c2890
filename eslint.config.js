import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const rawInput = {
  selector: 'MemberExpression[property.name=/^(body|query)$/][object.name=/^(req|request)$/]',
  message:
    'Read matchedData(request): sanitizers do not change request.query, and what no validator has seen is not trusted.',
};
const rawInputByPattern = {
  selector:
    'VariableDeclarator[init.name=/^(req|request)$/] > ObjectPattern > Property[key.name=/^(body|query)$/]',
  message: rawInput.message,
};
const defaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only: a name that each importer chooses cannot be searched for.',
};

export default defineConfig(
  globalIgnores(['node_modules', 'coverage', '.data']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      eqeqeq: 'error',
      'no-else-return': 'error',
      'max-params': ['error', 4],
      'no-restricted-syntax': ['error', defaultExport],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  { files: ['src/**/*.ts', '*.ts'], rules: { 'no-console': 'error' } },
  {
    files: ['src/controllers/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', defaultExport, rawInput, rawInputByPattern] },
  },
  {
    // sequelize-cli reads the one, Jest the others, by their default export.
    files: ['src/config/database.ts', 'tests/helpers/global-*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
