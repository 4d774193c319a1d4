import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache, Observable } from '@apollo/client'
import { SetContextLink } from '@apollo/client/link/context'
import { OperationTypeNode, print } from 'graphql'
import type { Client as Socket } from 'graphql-ws'
import { type Message, query } from './request-events.ts'
import { subscribeAndResume } from './resume.ts'

export function createApolloClient(url: string, token: () => Promise<string>, socket: Socket): ApolloClient {
  const signed = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, authorization: `Bearer ${await token()}` },
  }))
  // In the place of GraphQLWsLink.
  const live = new ApolloLink(
    ({ query, variables }) =>
      new Observable((sink) => subscribeAndResume(socket, { query: print(query), variables }, sink)),
  )
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      live,
      signed.concat(new HttpLink({ uri: url })),
    ),
  })
}

export function follow(client: ApolloClient, after: string, handle: (message: Message) => void): () => void {
  const subscription = client
    .subscribe<{ requestEvents: Message }>({ query: gql(query), variables: { after }, fetchPolicy: 'no-cache' })
    .subscribe(({ data, error }) => {
      if (data) handle(data.requestEvents)
      else console.error(error)
    })
  return () => subscription.unsubscribe()
}
