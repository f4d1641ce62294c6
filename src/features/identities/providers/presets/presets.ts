import type { Preset, PresetName } from '../preset.js'
import { apple } from './apple.js'
import { discord } from './discord.js'
import { facebook } from './facebook.js'
import { github } from './github.js'
import { gitlab } from './gitlab.js'
import { google } from './google.js'
import { linkedin } from './linkedin.js'
import { microsoft } from './microsoft.js'
import { oauth2 } from './oauth2.js'
import { oidc } from './oidc.js'
import { x } from './x.js'

/** What is known of each provider, besides what its entry says. */
export const presets: Readonly<Record<PresetName, Preset>> = {
  ...{ google, apple, microsoft, github, gitlab, facebook, linkedin, discord, x },
  ...{ oidc, oauth2 },
}
