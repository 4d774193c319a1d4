export default {
  settings: {
    title: 'Settings',
    lead: 'In force at once, in every process.',
    general: 'General',
    systemName: 'Name of this deployment',
    limits: 'Cost limits',
    ending: 'When running requests reach a limit',
    whenLimitReached: {
      FINISH: 'They finish',
      STOP: 'They are stopped',
    },
    endingHints: {
      FINISH: 'New requests are rejected; those that run may exceed the limit until they end.',
      STOP: 'Streams end with an error event as soon as the limit is reached.',
    },
    weekStart: 'Weekly limits begin on',
    resetHour: 'Hour of the reset',
    resetHourHint: 'Daily, weekly and monthly limits begin anew at this hour, in the zone of the deployment.',
    recovery: 'Recovery of accounts',
    probes: 'How the relay finds out that an account is back',
    recoveryProbes: {
      ACTIVE: 'By small requests of its own',
      PASSIVE: 'By requests of clients',
    },
    probeHints: {
      ACTIVE: 'Accounts that are not ready are asked by the clock. No key pays for it.',
      PASSIVE: 'Now and then one request also goes to an account that has no date of return.',
    },
    probeSeconds: 'First probe after (s)',
    probeSecondsHint: 'Each further probe waits twice as long.',
    weekdays: {
      MONDAY: 'Monday',
      TUESDAY: 'Tuesday',
      WEDNESDAY: 'Wednesday',
      THURSDAY: 'Thursday',
      FRIDAY: 'Friday',
      SATURDAY: 'Saturday',
      SUNDAY: 'Sunday',
    },
    toFallbackPrices: 'Models without a price',
  },
}
