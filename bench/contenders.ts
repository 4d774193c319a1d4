/** The contenders: direct (nothing in between), nginx, the bare pass-through, the relay. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Pinned, startPinned } from './pinned.ts'

export interface Contender {
  name: string
  port: number
  path: string
  /** The bearer token that clients send. */
  secret: string
  /** Absent for direct, which has no process. */
  process?: Pinned
  /** Resident memory in MiB before any load. */
  restMib?: number | undefined
  /** Where the relay keeps its data. */
  dataDir?: string
}

export interface Surroundings {
  core: number
  upstreamPort: number
  /** An empty folder for all files of this run. */
  folder: string
  env: NodeJS.ProcessEnv
}

export const root = fileURLToPath(new URL('..', import.meta.url))
const announced = /listening on http:\/\/127\.0\.0\.1:(\d+)/
const upstreamSecret = 'sk-upstream-bench-000000000000'
const keySecret = 'sk-bench-000000000000000000000000'

export function direct({ upstreamPort }: Surroundings): Contender {
  return { name: 'direct', port: upstreamPort, path: '/v1/messages', secret: upstreamSecret }
}

export async function bare({ core, upstreamPort }: Surroundings, script: string): Promise<Contender> {
  const origin = `http://127.0.0.1:${upstreamPort}`
  const process = await startPinned('node', [script, origin], { core, announces: announced })
  return { name: 'bare', port: process.port, path: '/v1/messages', secret: upstreamSecret, process }
}

/** undefined, with a line on the console, when nginx is not installed. */
export async function nginx({ core, upstreamPort, folder, env }: Surroundings): Promise<Contender | undefined> {
  try {
    execFileSync('nginx', ['-v'], { env, stdio: 'ignore' })
  } catch {
    console.log('nginx: not installed, left out')
    return undefined
  }
  const port = await freePort()
  const configuration = join(folder, 'nginx.conf')
  writeFileSync(configuration, nginxConfiguration(folder, port, upstreamPort))
  const process = await startPinned('nginx', ['-p', folder, '-c', configuration], { core, env })
  await untilOpen(port)
  return { name: 'nginx', port, path: '/v1/messages', secret: upstreamSecret, process }
}

/** `program`: absolute path of the built main.js. undefined, with a line on the console, when it is not there. */
export async function relay(around: Surroundings, program: string): Promise<Contender | undefined> {
  const { core, upstreamPort, folder, env } = around
  if (!existsSync(program)) {
    console.log(`relay: ${program} is not there (npm run build makes it): NOT MEASURED`)
    return undefined
  }
  if (newestSource() > statSync(program).mtimeMs) {
    console.log(`relay: server/ has sources newer than ${program}: the figures are those of an older build`)
  }
  const dataDir = join(folder, 'data')
  const provision = join(folder, 'provision.json')
  mkdirSync(dataDir)
  writeFileSync(provision, JSON.stringify(provisioning(upstreamPort)), { mode: 0o600 })
  const process = await startPinned('node', [...startFlags(), program], {
    core,
    cwd: root,
    // Without the caller's own settings: the relay is measured with its defaults.
    env: {
      PATH: env.PATH,
      HOME: folder,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      PROVISION_FILE: provision,
      UPSTREAM_ALLOW: '127.0.0.0/8',
    },
    // The output may contain the upstream's address too, which has another port.
    announces: new RegExp(`http://127\\.0\\.0\\.1:(?!${upstreamPort}\\b)(\\d+)\\b`),
  })
  return { name: 'relay', port: process.port, path: '/claude-code/v1/messages', secret: keySecret, process, dataDir }
}

/** The flags of Node that `npm start` gives. */
function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
  return scripts.start.split(' ').filter((word) => word.startsWith('--'))
}

function provisioning(upstreamPort: number) {
  const account = {
    name: 'bench',
    platform: 'console',
    url: `http://127.0.0.1:${upstreamPort}`,
    authHeader: 'bearer',
    secret: upstreamSecret,
    groups: ['bench'],
  }
  return {
    groups: [{ name: 'bench' }],
    accounts: [account],
    keys: [{ name: 'bench', secret: keySecret, group: 'bench', models: ['*'] }],
  }
}

function nginxConfiguration(folder: string, port: number, upstreamPort: number): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  return `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr;
events { worker_connections 4096; }
http {
  access_log off; client_max_body_size 32m; client_body_buffer_size 256k; keepalive_requests 1000000000;
  ${scratch.join(' ')}
  upstream up { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}
`
}

function newestSource(): number {
  const files = readdirSync(join(root, 'server'), { recursive: true, encoding: 'utf8' })
  const times = files.filter((file) => file.endsWith('.ts')).map((file) => statSync(join(root, 'server', file)).mtimeMs)
  return Math.max(0, ...times)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** nginx prints nothing when it is ready: connect until it accepts. */
async function untilOpen(port: number): Promise<void> {
  for (let left = 50; left > 0; left--) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    await delay(100)
  }
  throw new Error(`nothing listens on port ${port} after 5 s`)
}
