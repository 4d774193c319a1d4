export default {
  user: {
    username: 'User name',
    password: 'Password',
    repeat: 'Repeat the password',
    email: 'E-mail (optional)',
  },
  setup: {
    title: 'Set up this relay',
    lead: 'Create the first administrator. The link you followed works once.',
    submit: 'Create administrator',
    noToken: 'The setup link is missing its token',
    noTokenNext:
      'Open the link that the server printed at its start. A fresh one is printed at every start until an administrator exists.',
    differ: 'The two passwords differ',
  },
  signin: {
    title: 'Sign in',
    lead: 'To manage accounts and keys, and to watch requests live.',
    submit: 'Sign in',
    needsSetup: 'No administrator exists yet. Open the setup link that the server printed at its start.',
  },
  password: {
    title: 'Change password',
    lead: 'Your other sessions end; this one goes on.',
    forced: 'Your password was made by an administrator. Choose one of your own before you go on.',
    current: 'Current password',
    next: 'New password',
    submit: 'Change password',
    changed: 'The password is changed',
  },
}
