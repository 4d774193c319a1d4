export default {
  fallbackPrices: {
    title: 'Models without a price',
    lead: 'No price card names these models. The fallback card priced their requests.',
    range: 'Days',
    days: '{count} days',
    none: 'Every request had a price of its own',
    noneNext: 'Models that no price card names appear here with what they cost.',
    cols: {
      model: 'Model, as it was billed',
      requests: 'Requests',
      tokens: 'Tokens in / out',
      cost: 'Charged',
      last: 'Last',
    },
  },
}
