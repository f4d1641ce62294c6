import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

const unsafeSql = 'Only tagged templates reach the database, so that every value is a parameter.'

export default tseslint.config(
  { ignores: ['**/dist', 'src/generated', 'node_modules', '.tap', '.compiled', '.mutated', 'coverage'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'Identifier[name=/^\\$(query|execute)RawUnsafe$/]', message: unsafeSql },
        { selector: 'Literal[value=/^\\$(query|execute)RawUnsafe$/]', message: unsafeSql },
        { selector: "MemberExpression[object.name='Prisma'][property.name='raw']", message: unsafeSql },
        { selector: "VariableDeclarator[init.name='Prisma'] Property[key.name='raw']", message: unsafeSql },
      ],
      'no-console': 'error',
      // Objects here are closures, so their functions may be passed on without them.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/config.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'config.ts is the only reader of the environment.' },
      ],
    },
  },
  {
    files: ['**/*.cts'],
    rules: { '@typescript-eslint/no-require-imports': ['error', { allowAsImport: true }] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // tap's assertions and subtests return promises that the runner collects.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }] },
      ],
      // A subtest is asynchronous even if it awaits nothing.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/pages/assets/**', 'src/pages/scripts/**'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        document: 'readonly',
        history: 'readonly',
        window: 'readonly',
        location: 'readonly',
        fetch: 'readonly',
        DOMParser: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        navigator: 'readonly',
        URL: 'readonly',
        Blob: 'readonly',
        HTMLFormElement: 'readonly',
      },
    },
  },
  {
    files: ['scripts/**', 'bench/**', 'examples/*/*.js', 'eslint.config.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', fetch: 'readonly' } },
    rules: { 'no-console': 'off' },
  },
  {
    files: ['examples/spa/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/browser/*/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { document: 'readonly', history: 'readonly', location: 'readonly' } },
  },
  {
    files: ['test/flows/*/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { Headers: 'readonly', URL: 'readonly', URLSearchParams: 'readonly' } },
  },
  {
    files: ['test/relying-parties/*/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
  },
  {
    files: ['examples/sso/**'],
    languageOptions: { globals: { URL: 'readonly', URLSearchParams: 'readonly', setTimeout: 'readonly' } },
  },
)
