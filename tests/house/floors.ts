/** From the top of the house to the bottom (docs/architecture.md). A room imports itself and the rooms of lower floors, nothing else. */
export const floors: readonly (readonly string[])[] = [
  ['main'],
  ['cli'],
  ['app'],
  ['provisioning'],
  ['relay', 'graphql', 'jobs'],
  ['http'],
  ['upstreams'],
  ['accounts', 'keys', 'live', 'ledger', 'statistics', 'prices', 'identity'],
  ['store'],
  ['config'],
  ['json', 'money', 'leaves'],
]
