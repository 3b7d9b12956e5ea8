// Checks the built package as others get it: packs it, asks publint and
// attw (Are the types wrong?), and uses it from ES modules and from CommonJS, in
// Node.js and with TypeScript's module resolutions.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const modules = join(here, '../../node_modules')
const place = mkdtempSync(join(tmpdir(), 'wenzhen-client-'))
const run = (command, ...args) => execFileSync(command, args, { cwd: place, stdio: ['ignore', 'inherit', 'inherit'] })

const typed = `import { connect, logIn, type Wenzhen } from 'wenzhen-client'
import type { Consultation } from 'wenzhen-client/wire'

export async function talk(server: string, consultation: Consultation): Promise<Wenzhen> {
  const wenzhen = connect(await logIn(server, { email: 'a@b.example', password: 'x' }))
  wenzhen.join(consultation.id).on('message:created', ({ seq, data }) => console.log(seq.toFixed(), data.text?.trim()))
  // @ts-expect-error: there is no such event
  wenzhen.join(consultation.id).on('message:invented', () => {})
  return wenzhen
}
`

// The README's example: with types, too, it is a program.
const example = /```js\n(.*?)```/s.exec(readFileSync(join(here, 'README.md'), 'utf8'))[1]

const used = 'if (!connect || !logIn) process.exit(1)\n'
const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,dom']

try {
  const tarball = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', place, here]).toString().trim()
  run(join(modules, '.bin/publint'), tarball, '--strict')
  run(join(modules, '.bin/attw'), tarball, '--quiet')

  // A package that depends on it, as npm would install it.
  mkdirSync(join(place, 'node_modules/wenzhen-client'), { recursive: true })
  run('tar', '-xzf', tarball, '--strip-components=1', '-C', 'node_modules/wenzhen-client')
  symlinkSync(join(modules, 'socket.io-client'), join(place, 'node_modules/socket.io-client'))
  const files = {
    'index.mjs': "import { connect, logIn } from 'wenzhen-client'\nimport 'wenzhen-client/wire'\n" + used,
    'index.cjs': "const { connect, logIn } = require('wenzhen-client')\nrequire('wenzhen-client/wire')\n" + used,
    'talk.ts': typed,
    'talk.mts': typed,
    'talk.cts': typed,
    'readme.mts': example,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text)
  run(process.execPath, 'index.mjs')
  run(process.execPath, 'index.cjs')
  for (const [resolution, module, ...names] of [
    ['node10', 'commonjs', 'talk.ts'],
    ['node16', 'node16', 'talk.mts', 'talk.cts'],
    ['nodenext', 'nodenext', 'talk.mts', 'talk.cts', 'readme.mts'],
    ['bundler', 'esnext', 'talk.ts'],
  ]) {
    run(join(modules, '.bin/tsc'), ...options, '--module', module, '--moduleResolution', resolution, ...names)
    console.log(`types with moduleResolution ${resolution}: ${names.join(', ')}`)
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}
