export default {
  groups: {
    title: 'Groups',
    lead: 'A key uses the accounts of its group.',
    add: 'Create group',
    emptyTitle: 'No groups yet',
    emptyNext: 'Create a group, then put accounts and keys into it.',
    editTitle: 'Edit group',
    cols: {
      name: 'Group',
      accounts: 'Accounts',
      keys: 'Keys',
      created: 'Created',
      enabled: 'Enabled',
    },
    fields: {
      name: 'Name',
      remark: 'Remark',
      enabled: 'Enabled',
      shared: 'Open to everybody',
      returnsToPriority: 'Sessions return by priority',
      stripForeignReasoning: 'Remove thinking of other accounts',
    },
    shared: 'shared',
    hints: {
      limits: 'Of all keys of the group together.',
      shared: 'Everybody may create keys in it; only its owner adds accounts.',
      returnsToPriority:
        'After a failover, a session goes back to the account with the smaller priority number on its next request.',
      stripForeignReasoning:
        'After a failover, thinking signed by the previous account is removed from requests. Off: the upstream rejects it once, and Claude Code recovers by itself.',
    },
    created: 'Group {name} is created. Next, add an account to it, then create a key for it.',
    toAccounts: 'Add an account',
    toKeys: 'Create a key',
    disableTitle: 'Disable {name}?',
    disableText: 'Its accounts receive no requests from now on, and requests of its keys are rejected.',
    disabledDone: '{name} is disabled',
    removeTitle: 'Delete {name}?',
    removeText:
      'A group with keys, or with accounts that serve no other group, cannot be deleted; other accounts leave it. This cannot be undone.',
    members: {
      verb: 'Accounts',
      title: 'Accounts of {name}',
      none: 'No account serves this group.',
      remove: 'Remove',
      removeNamed: 'Remove {name} from the group',
      removed: '{name} serves this group no more',
    },
  },
}
