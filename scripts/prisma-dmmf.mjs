// A Prisma generator (JSON-RPC, one message a line: requests on stdin, answers on stderr) that writes the data model it is given.
// https://www.prisma.io/docs/orm/prisma-schema/overview/generators
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const answer = (id, result) => process.stderr.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (method === 'getManifest')
    answer(id, { manifest: { prettyName: 'data model as JSON', defaultOutput: 'dmmf.json' } })
  if (method === 'generate') {
    writeFileSync(params.generator.output.value, JSON.stringify(params.dmmf.datamodel, null, 1))
    answer(id, null)
  }
}
