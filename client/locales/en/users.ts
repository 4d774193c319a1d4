export default {
  users: {
    title: 'Users',
    lead: 'People who can sign in, and what their keys may spend together.',
    add: 'Add user',
    emptyTitle: 'No users',
    emptyNext: 'Add a user, and create keys for them or let them create their own.',
    editTitle: 'Edit user',
    mustChange: 'has to change the password',
    cols: {
      name: 'User',
      role: 'Role',
      created: 'Created',
      enabled: 'Enabled',
    },
    fields: {
      username: 'User name',
      email: 'E-mail',
      password: 'Password',
      newPassword: 'New password',
      role: 'Role',
      enabled: 'Enabled',
    },
    hints: {
      password: 'At least 10 characters.',
      newPassword: 'Leave empty to keep the current one. A new one ends all sessions.',
      limits: 'Of all keys of this user together.',
    },
    disableTitle: 'Disable {name}?',
    disableText: 'They are signed out and cannot sign in again, and their keys are rejected.',
    disabledDone: '{name} is disabled',
  },
}
