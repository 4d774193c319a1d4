import type { TypedDocumentNode } from '@urql/core'
import { stringifyDocument } from '@urql/core'

/** One plain GraphQL request outside the client: for the refresh that the client itself waits for. */
export async function post<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch('/graphql', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
    body: JSON.stringify({ query: stringifyDocument(document), variables }),
  })
  const body = (await response.json()) as { data?: Data | null; errors?: { message: string }[] }
  if (body.data === undefined || body.data === null)
    throw new Error(body.errors?.[0]?.message ?? `HTTP ${response.status}`)
  return body.data
}
