import { text } from '../../platform/http/text.js'

export const banReasonSchema = text({ min: 1, max: 500 }).meta({ examples: ['Sold the account'] })
