// The collection and the environment, in Postman's format (Collection 2.1.0).

import { v5 as uuidOf } from 'uuid'
import { convertOperations, type ConvertedRequest } from './converting.js'
import { readDocument, type Operation } from './document.js'
import { requestOf, type CollectionRequest } from './request.js'
import { expectedAnswers, savedAnswer, type SavedAnswer } from './saved-answers.js'
import { scriptsOf, skipUnless, type Script } from './scripts.js'
import { isFolder, type Folder, type Step } from './step.js'
import { introduction, tour, variables } from './tour.js'

interface CollectionItem {
  id: string
  name: string
  event: Script[]
  protocolProfileBehavior: { disableCookies: true }
  request: CollectionRequest
  response: (SavedAnswer & { id: string })[]
}

interface CollectionFolder {
  id: string
  name: string
  description: string
  event?: Script[]
  item: (CollectionFolder | CollectionItem)[]
}

/** Every id is derived from a name, so that importing the collection again replaces the old one. */
const NAMESPACE = '3c1f6a0e-58d2-4b7c-9e41-a6d07f2b8c95'

interface Source {
  operations: Map<string, Operation>
  requests: Map<string, ConvertedRequest>
  /** The operations that have occurred so far. */
  shown: Set<string>
}

export interface GeneratedPostman {
  collection: object
  environment: object
}

/** Generates both from the OpenAPI document and the tour. The same document produces the same files. */
export async function generatePostman(document: unknown): Promise<GeneratedPostman> {
  const { serverUrl, operations } = readDocument(document)
  const source = { operations, requests: await convertOperations(document), shown: new Set<string>() }
  return {
    collection: {
      info: {
        _postman_id: idOf('collection'),
        name: 'Sallyport',
        description: introduction,
        schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
      },
      auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{access_token}}', type: 'string' }] },
      variable: [{ key: 'baseUrl', value: serverUrl }, ...variables],
      item: tour.map((folder) => folderOf(folder, [], source)),
    },
    environment: environmentOf(serverUrl),
  }
}

function environmentOf(serverUrl: string): object {
  return {
    id: idOf('environment'),
    name: 'Sallyport on this machine',
    values: [
      { key: 'baseUrl', value: serverUrl, type: 'default', enabled: true },
      { key: 'verifier_credential', value: '', type: 'secret', enabled: true },
      { key: 'oauth_client_id', value: '', type: 'default', enabled: true },
      { key: 'oauth_client_secret', value: '', type: 'secret', enabled: true },
      { key: 'oauth_redirect_uri', value: 'https://oauth.pstmn.io/v1/callback', type: 'default', enabled: true },
      { key: 'follow_streams', value: '', type: 'default', enabled: true },
      { key: 'development_inbox', value: 'yes', type: 'default', enabled: true },
    ],
    _postman_variable_scope: 'environment',
  }
}

function folderOf({ name, about, needs, steps }: Folder, parents: string[], source: Source): CollectionFolder {
  const path = [...parents, name]
  return {
    id: idOf(...path),
    name,
    description: about,
    ...(needs && { event: [skipUnless(needs)] }),
    item: steps.map((entry) => (isFolder(entry) ? folderOf(entry, path, source) : itemOf(entry, path, source))),
  }
}

function itemOf(step: Step, parents: string[], { operations, requests, shown }: Source): CollectionItem {
  const operation = operations.get(step.operation)
  const converted = requests.get(step.operation)
  if (!operation || !converted) throw new Error(`"${step.name}" names ${step.operation}, which the document does not.`)
  const request = requestOf(step, operation, converted)
  const expected = expectedAnswers(step, operation)
  // All saved responses at the first use of an operation, and afterwards only the expected one.
  const answers = shown.has(operation.id) ? expected : operation.answers
  shown.add(operation.id)
  const path = [...parents, step.name]
  return {
    id: idOf(...path),
    name: step.name,
    event: scriptsOf(step, expected[0]),
    // Cookies in Postman's jar from earlier requests would be sent as well.
    protocolProfileBehavior: { disableCookies: true },
    request,
    response: answers.map((answer, index) => ({
      id: idOf(...path, `answer ${index}`),
      ...savedAnswer(answer, request),
    })),
  }
}

function idOf(...path: string[]): string {
  return uuidOf(path.join('\n'), NAMESPACE)
}
