import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { auditEvents } from '../src/audit-events.js'
import type { AuditEvents } from '../src/features/audit/audit.js'

const features = new URL('../src/features/', import.meta.url)

/** The events that each feature declares. The sources are read, so that none is omitted by a missing import. */
const declared: [string, AuditEvents][] = readdirSync(features)
  .filter((folder) => readdirSync(new URL(folder, features)).includes('audit-events.ts'))
  .map((folder) => {
    const source = readFileSync(new URL(`${folder}/audit-events.ts`, features), 'utf8')
    const events: Record<string, AuditEvents[string]> = {}
    for (const [, name = '', outcome] of source.matchAll(/^ {2}(\w+): '(done|refused|alarm)',$/gm)) {
      events[name] = outcome as AuditEvents[string]
    }
    return [folder, events]
  })

t.test('OPS-01: the events of all features are in one index, and no two features share a name', async (t) => {
  t.ok(declared.length >= 8, 'the declarations are found')
  const all = declared.flatMap(([, events]) => Object.entries(events))
  t.equal(new Set(all.map(([name]) => name)).size, all.length)
  t.same(auditEvents, Object.fromEntries(all))
})

t.test('OPS-01: the names, which are stored in existing tables, do not change', async (t) => {
  const kept = [
    ...['user_registered', 'registration_refused_taken', 'login_succeeded', 'login_failed', 'login_refused_banned'],
    ...['session_ended', 'refresh_refused', 'refresh_superseded', 'refresh_ahead', 'refresh_reused'],
    ...['refresh_wrong_mode', 'password_changed', 'user_deleted', 'password_check_failed', 'user_created'],
    ...['user_banned', 'user_unbanned', 'roles_changed', 'password_reset', 'password_check_limited'],
    ...['registration_limited', 'refresh_limited', 'address_blocked', 'address_allowed', 'address_rule_removed'],
    ...['key_rotated', 'key_withdrawn', 'keys_resealed'],
  ]
  for (const name of kept) t.ok(Object.hasOwn(auditEvents, name), name)
})

t.test('OPS-01: the operator guide lists each event with its result', async (t) => {
  const guide = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8')
  const rows = [...guide.matchAll(/^\| `(\w+)` +\| (done|refused|alarm) +\|/gm)]
  t.same(Object.fromEntries(rows.map(([, name, result]) => [name, result])), auditEvents)
})
