import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type * as Package from 'wenzhen-client'
import { build } from 'vite'
import { expect, password, Person, test, WenzhenServer } from './world'

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const dist = '../packages/client/dist/index.js'

/** Doctor and patient in an accepted consultation. */
async function scene(server: WenzhenServer) {
  const doctor = await Person.practise(server.url, '顾明')
  const patient = await Person.register(server.url, 'patient', '小林')
  const consultation = await patient.consult(doctor)
  await doctor.accept(consultation)
  return { doctor, patient, consultation }
}

test('the client package: the example of its README runs in Node as it stands', async () => {
  const server = await WenzhenServer.start('--demo')
  const place = await mkdtemp(join(tmpdir(), 'wenzhen-client-'))
  try {
    const readme = await readFile(folder('../packages/client/README.md'), 'utf8')
    const [, example = ''] = /```js\n(.*?)```/s.exec(readme) ?? []
    // Installed as npm would: by its own name, with its dependencies beside it.
    await symlink(folder('../node_modules'), join(place, 'node_modules'))
    await writeFile(join(place, 'example.mjs'), example.replace('http://localhost:8080', server.url).replace("'wenzhen-client'", JSON.stringify(folder(dist))))
    const { stdout } = await promisify(execFile)(process.execPath, [join(place, 'example.mjs')], { timeout: 30_000, env: { ...process.env, FORCE_COLOR: '0' } })
    expect(stdout).toContain('the connection is online')
    expect(stdout).toMatch(/^\d+ \S/m)
    expect(stdout).toMatch(/said as number \d+/)
  } finally {
    await server.stop()
    await rm(place, { recursive: true, force: true })
  }
})

test('the client package in Node: a crash of the server in mid-sentence loses and repeats nothing', async () => {
  const { connect, logIn } = (await import(dist)) as typeof Package
  const server = await WenzhenServer.start()
  try {
    const { doctor, patient, consultation } = await scene(server)
    const account = await logIn(server.url, { email: patient.user.email, password })
    const wenzhen = connect(account)
    const room = wenzhen.join(consultation.id, { after: 0 })
    const seqs: number[] = []
    const texts: (string | undefined)[] = []
    room.on('*', (event) => seqs.push(event.seq))
    room.on('message:created', (event) => texts.push(event.data.text))
    await room.joined
    await room.say('before')
    await doctor.say(consultation, 'one moment')

    await server.kill()
    await expect.poll(() => wenzhen.link).toBe('offline')
    const said = [room.say('while away 1'), room.say('while away 2')]
    await server.run()
    await Promise.all(said)
    await doctor.say(consultation, 'here again')

    await expect.poll(() => texts.slice(-5)).toEqual(['before', 'one moment', 'while away 1', 'while away 2', 'here again'])
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i + 1))

    // Someone who was here before comes back with the seq that was kept.
    const again = connect(account)
    const rest: number[] = []
    const back = again.join(consultation.id, { after: seqs.length - 2 })
    back.on('*', (event) => rest.push(event.seq))
    await back.joined
    await expect.poll(() => rest).toEqual(seqs.slice(-2))
    await expect(again.ask('message:recall', { consultationId: consultation.id, messageId: 'none' })).rejects.toMatchObject({ code: 'not_found' })
    again.close()
    wenzhen.close()
    await account.logOut()
  } finally {
    await server.stop()
  }
})

test('the client package in a browser, on a page that is not ours', async ({ server, browserOf }) => {
  const { doctor, patient, consultation } = await scene(server)
  const bundle = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, lib: { entry: folder(dist), formats: ['es'], fileName: 'client' } },
  })
  const [chunk] = (bundle as { output: { code: string }[] }[])[0]?.output ?? []
  const page = await browserOf()
  await page.route('**/other-page/', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>other</title>' }))
  await page.route('**/other-page/client.js', (route) => route.fulfill({ contentType: 'text/javascript', body: chunk?.code ?? '' }))
  await page.goto('/other-page/')
  const said = page.evaluate(
    async ({ url, email, password, id }) => {
      const { connect, logIn } = (await import(new URL('/other-page/client.js', location.href).href)) as typeof Package
      const wenzhen = connect(await logIn(url, { email, password }))
      const room = wenzhen.join(id, { after: 0 })
      const answered = new Promise<string | undefined>((resolve) => room.on('message:created', ({ data }) => data.text === 'reply' && resolve(data.text)))
      const { text } = await room.say('from a browser')
      return [text, await answered]
    },
    { url: server.url, email: patient.user.email, password, id: consultation.id },
  )
  await doctor.say(consultation, 'reply')
  expect(await said).toEqual(['from a browser', 'reply'])
})
