/** The page: one client, and a module for each part. */
import { createClient } from '@sallyport/client'
import { mountDevices } from './devices.js'
import { mountEntrance } from './entrance.js'
import { mountLogin } from './login.js'
import { mountPassword } from './password.js'
import { mountProfile } from './profile.js'
import { mountProtectedCalls } from './protected-calls.js'
import { mountTokenClock } from './token-clock.js'

const { SALLYPORT_URL, RESOURCE_SERVER_URL } = import.meta.env

const client = createClient({
  baseUrl: SALLYPORT_URL,
  mode: 'cookie',
  origins: RESOURCE_SERVER_URL === null ? [] : [RESOURCE_SERVER_URL],
})

mountTokenClock(client)
mountLogin(client)
mountDevices(client)
mountProtectedCalls(client, RESOURCE_SERVER_URL)
mountProfile(client)
mountPassword(client)
// Last, because it shows what the others have rendered, and restores the session.
mountEntrance(client)
