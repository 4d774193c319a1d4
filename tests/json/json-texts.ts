import fc from 'fast-check'

/** JSON texts as nobody would write them: any white space, duplicate keys, any character of a key or string escaped. */
export function jsonObjectText(names: readonly string[]): fc.Arbitrary<string> {
  const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 2 })
  const character = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', '"', '\\', '{', '}', '[', ']', ',', ':', '/', '\n', '\u0000') },
    fc.constantFrom('é', '中', '\u2028', '\ud83d\ude00', '\ud83d', '\ufeff'),
  )
  const content = fc.oneof(fc.string({ unit: character, maxLength: 60 }), fc.constantFrom(...names))
  const string = fc
    .tuple(content, fc.array(fc.boolean(), { maxLength: 20 }))
    .map(([text, escaped]) => quoted(text, escaped))
  const key = fc
    .tuple(fc.oneof(content, fc.constantFrom(...names)), fc.array(fc.boolean(), { maxLength: 20 }))
    .map(([text, escaped]) => quoted(text, escaped))
  const { members } = fc.letrec<{ value: string; members: string; list: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', maxDepth: 5 },
      fc.constantFrom('true', 'false', 'null', '0', '-1.5e+3', '12345678901234567890'),
      string,
      tie('members'),
      tie('list'),
    ),
    list: fc
      .array(
        fc.tuple(space, tie('value'), space).map((parts) => parts.join('')),
        { maxLength: 4 },
      )
      .map((items) => `[${items.join(',')}]`),
    members: fc
      .array(
        fc.tuple(space, key, space, fc.constant(':'), space, tie('value'), space).map((parts) => parts.join('')),
        { maxLength: 6 },
      )
      .map((items) => `{${items.join(',')}}`),
  }))
  return fc.tuple(space, members, space).map((parts) => parts.join(''))
}

/** The same with a few bytes changed, put in or taken out: which usually makes it invalid. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  const byte = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...Buffer.from('"\\{}[],: u0eE-\n')) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  )
  const change = fc.tuple(fc.nat(), fc.constantFrom('put', 'set', 'cut'), byte)
  return fc.tuple(texts, fc.array(change, { minLength: 1, maxLength: 3 })).map(([text, changes]) => {
    const bytes = [...Buffer.from(text)]
    for (const [where, what, value] of changes) {
      const at = where % (bytes.length + 1)
      if (what === 'put') bytes.splice(at, 0, value)
      else if (what === 'set') bytes[at % bytes.length] = value
      else bytes.splice(at, 1)
    }
    return Buffer.from(bytes)
  })
}

function quoted(text: string, escaped: readonly boolean[]): string {
  let out = ''
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    const asHex = `\\u${unit.toString(16).padStart(4, '0')}`
    const lone = unit >= 0xd800 && unit <= 0xdfff
    if (escaped[index] === true || lone) out += asHex
    else out += JSON.stringify(text[index]!).slice(1, -1)
  }
  return `"${out}"`
}
