// The rule for an active family exists twice: in SQL, for the single statement of an ordinary refresh, and in
// rotation.ts, for everything else. This test applies both to the same families at the same time.

import { randomBytes, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { Prisma } from '../../../src/generated/prisma/client.js'
import type { Queries } from '../../../src/platform/database/database.js'
import { carriedModes } from '../../../src/features/families/family.js'
import * as endingStore from '../../../src/features/families/ending-store.js'
import {
  endOf,
  judge,
  judgeRenewal,
  type FamilyMode,
  type RotationSettings,
} from '../../../src/features/families/rotation.js'
import * as store from '../../../src/features/families/store.js'
import { openTestDatabase } from '../../support/database.js'

const database = await openTestDatabase()

const idleSeconds: Record<FamilyMode, number> = { cookie: 1000, json: 2000, session: 3000, client: 2500 }

/** Milliseconds from the time of judgement: at a limit, next to it, and anywhere. */
const around = (...limitsMs: number[]) =>
  fc.oneof(
    fc.tuple(fc.constantFrom(...limitsMs), fc.integer({ min: -1, max: 1 })).map(([limit, off]) => limit + off),
    fc.integer({ min: -5_000_000, max: 5_000_000 }),
  )
const idleLimits = Object.values(idleSeconds).map((seconds) => -seconds * 1000)
const past = <T>(time: fc.Arbitrary<T>) => fc.option(time, { freq: 2 })
const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

const someParent = fc.record({
  mode: fc.constantFrom<FamilyMode>('cookie', 'session'),
  lastUsed: fc.oneof(fc.integer({ min: -900_000, max: 0 }), around(...idleLimits)),
  expires: fc.oneof(fc.constant(60_000), around(0)),
  isEnded: mostly(false, true),
})

const someFamily = fc.record({
  mode: fc.constantFrom<FamilyMode>('cookie', 'json', 'session', 'client'),
  jkt: mostly<string | null>(null, 'a key'),
  presentedJkt: mostly<string | null>('a key', null, 'another'),
  parent: fc.constantFrom<'none' | 'some' | 'gone'>('none', 'none', 'some', 'some', 'gone'),
  parentLife: someParent,
  scope: fc.constantFrom('', 'openid orders:read', 'openid offline_access', 'no_offline_access offline_access_x'),
  clientId: mostly('sallyport', 'another'),
  generation: fc.integer({ min: 2, max: 5 }),
  /** How far the token is behind the family, or ahead of it. */
  behind: mostly(0, -1, 1, 1, 2),
  /** Null: as tokens of its mode travel. */
  otherCarrier: mostly<keyof typeof carriedModes | null>(null, 'body', 'cookie', 'client'),
  lastUsed: fc.oneof(fc.integer({ min: -900_000, max: 0 }), around(...idleLimits)),
  expires: fc.oneof(fc.constant(60_000), around(0)),
  rotated: past(around(0, -10_000)),
  isEnded: mostly(false, true),
  user: mostly<'present' | 'banned' | 'gone'>('present', 'banned', 'gone'),
  bannedUntil: past(around(0)),
})
type SomeFamily = typeof someFamily extends fc.Arbitrary<infer Value> ? Value : never

const setting = fc.record({
  families: fc.array(someFamily, { minLength: 1, maxLength: 12 }),
  shiftMs: fc.oneof(fc.constant(0), fc.integer({ min: -10_000_000, max: 10_000_000 })),
  graceSeconds: fc.constantFrom(0, 10),
})

function modesPresented({ mode, otherCarrier }: SomeFamily): FamilyMode[] {
  if (otherCarrier !== null) return [...carriedModes[otherCarrier]]
  return Object.values<readonly FamilyMode[]>(carriedModes).flatMap((modes) => (modes.includes(mode) ? modes : []))
}

/** Writes the families into an otherwise empty database; returns the time at which they are judged. */
async function write(tx: Queries, families: SomeFamily[], shiftMs: number) {
  await tx.$executeRaw`DELETE FROM refresh_token_family`
  await tx.$executeRaw`DELETE FROM "user"`
  const [clock] = await tx.$queryRaw<[{ now: Date }]>`
    SELECT date_trunc('milliseconds', now() + ${shiftMs}::float8 * interval '1 millisecond') AS now`
  const at = (ms: number) => new Date(clock.now.getTime() + ms)
  const orNull = (ms: number | null) => (ms === null ? null : at(ms))
  const rows = families.map((family) => ({
    ...family,
    id: randomUUID(),
    handleHash: randomBytes(32),
    ownerId: randomUUID(),
    parentId: family.parent === 'none' ? null : randomUUID(),
    presentedModes: modesPresented(family),
  }))
  const parents = rows.filter(({ parent }) => parent === 'some')
  const ended = { endedAt: at(-1000), endReason: 'logout' as const }
  // Of no user, so that they do not count towards the limit of one, and of another secret.
  await tx.refreshTokenFamily.createMany({
    data: parents.map(({ parentId, parentLife: { mode, lastUsed, expires, isEnded } }) => ({
      ...{ id: parentId ?? '', handleHash: randomBytes(32), mode, generation: 0, secretId: 2, remember: true },
      ...{ lastUsedAt: at(lastUsed), expiresAt: at(expires), authenticatedAt: at(0), createdAt: at(0) },
      ...(isEnded && ended),
    })),
  })
  await tx.user.createMany({
    data: rows.map(({ ownerId, user, bannedUntil }) => ({
      ...{ id: ownerId, email: `${ownerId}@example.com`, epoch: 1n, createdAt: at(0) },
      ...(user === 'banned' && { bannedAt: at(-1000), bannedUntil: orNull(bannedUntil) }),
    })),
  })
  await tx.refreshTokenFamily.createMany({
    data: rows.map(({ id, handleHash, ownerId, user, mode, lastUsed, expires, rotated, isEnded, jkt, ...family }) => ({
      ...{ id, handleHash, mode, secretId: 1, remember: true, cnfJkt: jkt },
      ...{ clientId: family.clientId, generation: family.generation, scope: family.scope, parentId: family.parentId },
      ...{ userId: user === 'gone' ? null : ownerId, lastUsedAt: at(lastUsed), expiresAt: at(expires) },
      ...{ rotatedAt: orNull(rotated), authenticatedAt: at(0), createdAt: at(0) },
      ...(isEnded && ended),
    })),
  })
  const readings = await Promise.all(rows.map(({ handleHash }) => store.readFamily(tx, { handleHash }, shiftMs)))
  return rows.map((row, index) => {
    const reading = readings[index]
    if (!reading) throw new Error('A family that was written is not found.')
    return { ...row, ...reading, presentedGeneration: row.generation - row.behind }
  })
}

const attempt = () => ({ hash: randomBytes(32), keyed: false })
const clientId = 'sallyport'
/** How often each side said yes: a test without active families would pass with any rule. */
const agreed = { rotated: 0, renewed: 0, counted: 0, refused: 0, endedByParent: 0 }

/** Each run is one transaction, in which the database's clock does not advance. */
const assertOn = (
  judgeAll: (tx: Queries, run: typeof setting extends fc.Arbitrary<infer T> ? T : never) => Promise<void>,
) =>
  fc.assert(
    fc.asyncProperty(setting, (run) => database.transaction((tx) => judgeAll(tx, run))),
    { numRuns: 150 },
  )

t.test('REF-02: the statement rotates exactly the families for which judge says so', async (t) => {
  await assertOn(async (tx, { families, shiftMs, graceSeconds }) => {
    const rows = await write(tx, families, shiftMs)
    const limits: RotationSettings = { idleSeconds, graceSeconds }
    const advances = rows.map((row) => ({
      ...{ handleHash: row.handleHash, from: row.presentedGeneration, to: row.presentedGeneration + 1 },
      ...{ modes: row.presentedModes, clientId, jkt: row.presentedJkt, attempt: attempt(), ip: null, userAgent: null },
    }))
    // Of first-party clients, whose families have no parents, no parent is looked for.
    const mayHaveParents = graceSeconds > 0
    const advanced = await store.advanceFamilies(tx, advances, { secretId: 1, mayHaveParents, idleSeconds, shiftMs })
    for (const [index, row] of rows.entries()) {
      const presented = {
        ...{ generation: row.presentedGeneration, modes: row.presentedModes, clientId, jkt: row.presentedJkt },
        ...{ lostAnswer: 'grace' as const, attempt: attempt() },
      }
      const verdict = judge(row.family, presented, limits, row.now)
      const isAsked = mayHaveParents || row.parentId === null
      const isDue = verdict.outcome === 'rotate' && !verdict.ahead && isAsked
      if ((advanced[index] !== null) !== isDue)
        throw new Error(`The statement and ${JSON.stringify(verdict)} disagree.`)
      agreed[isDue ? 'rotated' : 'refused'] += 1
      const alone = judge({ ...row.family, parent: null }, presented, limits, row.now)
      if (alone.outcome === 'rotate' && isAsked && !isDue) agreed.endedByParent += 1
    }
  })
  t.ok(agreed.rotated > 50 && agreed.refused > 50 && agreed.endedByParent > 20, JSON.stringify(agreed))
})

t.test('REF-02: the statement renews exactly the families for which judgeRenewal says so', async (t) => {
  await assertOn(async (tx, { families, shiftMs, graceSeconds }) => {
    // Only that mode is ever renewed; most families have it, so that the other rules are exercised.
    const rows = await write(
      tx,
      families.map((family) => (family.isEnded ? family : { ...family, mode: 'session' as const })),
      shiftMs,
    )
    for (const row of rows) {
      const presented = { generation: row.presentedGeneration, clientId }
      const renewal = {
        handleHash: row.handleHash,
        ...presented,
        graceSeconds,
        idleSeconds,
        shiftMs,
        ip: null,
        userAgent: null,
        isByService: false,
      }
      const touched = await store.touchFamily(tx, renewal)
      const verdict = judgeRenewal(row.family, presented, { idleSeconds, graceSeconds }, row.now)
      const isDue = verdict.outcome === 'renew' && !verdict.ahead
      if ((touched !== null) !== isDue) throw new Error(`The statement and ${JSON.stringify(verdict)} disagree.`)
      if (isDue) agreed.renewed += 1
    }
  })
  t.ok(agreed.renewed > 50)
})

t.test('REF-13: exactly the active families count towards the session limit and the use of a secret', async (t) => {
  await assertOn(async (tx, { families, shiftMs }) => {
    const rows = await write(tx, families, shiftMs)
    const living = rows.filter((row) => endOf(row.family, { idleSeconds }, row.now) === null)
    const bySecret = await endingStore.countLiveFamiliesBySecret(tx, { idleSeconds, shiftMs })
    if ((bySecret.get(1) ?? 0) !== living.length)
      throw new Error('The count by secret is not that of the active families.')
    for (const row of rows.filter(({ user }) => user !== null)) {
      const user = { id: row.ownerId, passwordHash: null, lastLoginAt: null, factors: [] }
      const opened = await store.insertFamily(tx, {
        ...{ id: randomUUID(), user, handleHash: randomBytes(32), secretId: 1, mode: 'json', clientId },
        ...{
          scope: '',
          remember: true,
          deviceName: null,
          userAgent: null,
          ip: null,
          amr: [],
          identityId: null,
          acr: 'aal1',
          authenticatedAt: row.now,
          maxSeconds: 1000,
        },
        ...{ keepNewest: 0, mayEvict: true, idleSeconds, shiftMs },
        together: () => [Prisma.sql`nothing_else AS (SELECT)`],
      })
      if (row.family.banned !== (opened === null)) throw new Error('A banned user alone gets no session.')
      if (opened === null) continue
      const beyond = living.includes(row) && row.parentId === null ? [row.id] : []
      if (opened.evicted.join() !== beyond.join()) throw new Error('The limit does not count the active families.')
      agreed.counted += beyond.length
    }
  })
  t.ok(agreed.counted > 50)
})
