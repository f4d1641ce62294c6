// The files with rules, and the tests of each. Every mutant is run against those tests that execute it, fastest first:
// a test over HTTP runs only if the unit tests do not detect it.

export const ruleFiles = {
  'src/features/access/requirement.ts': ['test/features/access/requirement.test.ts'],
  'src/features/access/step-up.ts': ['test/features/access/step-up.test.ts'],
  'src/wire/step-up.ts': ['test/features/access/requirement.test.ts', 'test/wire/step-up.test.ts'],
  'src/features/browser/credentials.ts': [
    'test/features/browser/credentials.test.ts',
    'test/flows/known-devices.test.ts',
    'test/flows/trusted-devices.test.ts',
    'test/flows/sign-in.test.ts',
  ],
  'src/features/browser/known-devices.ts': ['test/features/browser/known-devices.test.ts'],
  'src/features/browser/cross-site.ts': ['test/features/browser/cross-site.test.ts'],
  'src/features/families/refresh-token.ts': [
    'test/features/families/refresh-token.test.ts',
    'test/features/families/attempt.test.ts',
  ],
  'src/features/families/rotation.ts': [
    'test/features/families/rotation.test.ts',
    'test/features/families/rotation-model.test.ts',
  ],
  'src/features/limits/policy.ts': ['test/features/limits/policy.test.ts'],
  'src/features/passkeys/challenge.ts': ['test/features/passkeys/challenge.test.ts'],
  'src/features/passkeys/judging.ts': ['test/features/passkeys/judging.test.ts'],
  'src/features/passwords/guesses.ts': [
    'test/features/passwords/guesses.test.ts',
    'test/flows/limits.test.ts',
    'test/attacks/login-floods.test.ts',
  ],
  'src/features/sign-in/linking.ts': ['test/features/sign-in/linking.test.ts'],
  'src/features/sign-in/next-step.ts': ['test/features/sign-in/next-step.test.ts'],
  'src/features/tokens/access-token.ts': ['test/features/tokens/access-token.test.ts'],
  'src/features/tokens/key-schedule.ts': ['test/features/tokens/key-schedule.test.ts'],
  'src/platform/bounded-queue.ts': ['test/platform/bounded-queue.test.ts'],
  'src/wire/access-token.ts': ['test/wire/access-token.test.ts', 'test/wire/access-token-cache.test.ts'],
  'src/wire/claims.ts': ['test/wire/claims.test.ts', 'test/openapi.test.ts'],
  'src/wire/cookies.ts': ['test/wire/cookies.test.ts'],
  'src/wire/revocation-map.ts': ['test/wire/revocation-map.test.ts'],
}
