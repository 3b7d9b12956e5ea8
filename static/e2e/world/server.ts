import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const binary = process.env.WENZHEN_BINARY ?? fileURLToPath(new URL('../../../bin/wenzhen', import.meta.url))

export const admin = { email: 'root@e2e.example', password: 'e2e-admin-password' }

/** A real server in a process of its own, with a folder of its own. */
export class WenzhenServer {
  private process: ChildProcess | undefined
  private log = ''

  private constructor(
    readonly port: number,
    readonly data: string,
    private readonly flags: string[],
  ) {}

  static async start(...flags: string[]): Promise<WenzhenServer> {
    await access(binary).catch(() => {
      throw new Error(`${binary} is missing: build the server first (make build)`)
    })
    // People of tests log in as they register.
    const settings = ['--confirm-registration', 'off', ...flags]
    const server = new WenzhenServer(await freePort(), await mkdtemp(join(tmpdir(), 'wenzhen-e2e-')), settings)
    if (!flags.includes('--demo')) {
      await promisify(execFile)(binary, ['admin', 'create', '--data', server.data, '--email', admin.email, '--password', admin.password])
    }
    await server.run()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Starts the process; resolves when it says where it listens. */
  async run(): Promise<void> {
    const money = this.flags.includes('--gateways') ? [] : ['--gateways', 'sandbox']
    const args = ['serve', ...money, '--addr', `127.0.0.1:${this.port}`, '--data', this.data, ...this.flags]
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.process = child
    child.stderr.on('data', (text: Buffer) => (this.log += text.toString()))
    await new Promise<void>((ready, failed) => {
      createInterface({ input: child.stdout }).on('line', (line) => line.includes('http') && ready())
      child.once('exit', (code) => failed(new Error(`the server ended with ${code}:\n${this.log}`)))
    })
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.process
    this.process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.data, { recursive: true, force: true })
  }
}

/**
 * A port that is free, also while a server of ours is down for a moment: none
 * of those from which outgoing connections come (on Linux 32768 and up).
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(16_000, 32_000)
    const probe = createServer().listen(port, '127.0.0.1')
    const free = await Promise.race([once(probe, 'listening').then(() => true), once(probe, 'error').then(() => false)])
    if (!free) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}
