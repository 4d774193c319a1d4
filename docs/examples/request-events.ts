export const query = `subscription Requests($after: String) {
  requestEvents(after: $after, filter: { kinds: [SETTLED] }) {
    cursor
    gap { dropped }
    events { ... on RequestSettled { request { requestId cost } } }
  }
}`

export interface Message {
  cursor: string
  gap: { dropped: number | null } | null
  events: { request: { requestId: string; cost: string } }[]
}
