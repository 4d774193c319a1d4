export default {
  jobs: {
    title: 'Jobs',
    lead: 'What the relay does by itself.',
    empty: 'There are no jobs',
    cols: {
      name: 'Job',
      last: 'Last run',
      next: 'Next run',
    },
    never: 'not run yet',
    next: 'in',
    now: 'about to run',
    every: 'every {time}',
    run: 'Run now',
    runOf: 'Run now: {name}',
    running: 'Running',
    nothingDue: '{name}: nothing was due',
    ran: '{name}: {result}',
    outcomes: {
      DONE: 'Done',
      FAILED: 'Failed',
    },
    names: {
      probe: 'Recovery probes',
      release: 'Cooldown expiry',
      prune: 'Clean-up',
      drift: 'Ledger check',
      refresh: 'Token refresh',
    },
    texts: {
      probe: 'Checks whether accounts that are not ready have recovered.',
      release: 'Updates accounts whose cooldown has expired.',
      prune: 'Deletes old state changes, limit history, job runs, sessions and sign-in attempts.',
      drift: 'Compares the sums of the ledger with those of the statistics.',
      refresh: 'Renews access tokens before they expire.',
    },
  },
}
