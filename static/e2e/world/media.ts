import { expect, type Page } from '@playwright/test'
import type { Consultation, Doctor } from '../../src/api/wire.gen'
import { logIn, password, Person, test as base, WenzhenServer } from '.'
import config from '../../playwright.config'

/** Browsers with a camera and a microphone that are made up, and a server with a relay on this machine. */
export const testWith = (...flags: string[]) =>
  base.extend<object, { server: WenzhenServer }>({
    server: [
      async ({}, use) => {
        const server = await WenzhenServer.start('--turn-addr', '127.0.0.1:0', '--turn-allow-private', ...flags)
        await use(server)
        await server.stop()
      },
      { scope: 'worker' },
    ],
  })
export const test = testWith()

export const fakeDevices = {
  ...config.use?.launchOptions,
  args: [
    ...(config.use?.launchOptions?.args ?? []),
    '--use-fake-device-for-media-stream=device-count=3', // of which the second sees depth, which no call carries
    '--use-fake-ui-for-media-stream',
    '--auto-accept-this-tab-capture',
    '--autoplay-policy=no-user-gesture-required',
  ],
}

/** What a page has open, for the tests to look at and to break. */
interface Watched {
  connections: RTCPeerConnection[]
  sockets: WebSocket[]
}

declare global {
  interface Window {
    watched: Watched
  }
}

/** Keeps hold of the page's connections. */
export async function watchMedia(page: Page, relayOnly = false): Promise<void> {
  await page.addInitScript((relay) => {
    const watched: Watched = (window.watched = { connections: [], sockets: [] })
    if (relay) localStorage.setItem('wenzhen.call.relay', 'yes')
    const keep = <T extends new (...args: never[]) => object>(kind: T, list: object[]) =>
      new Proxy(kind, {
        construct(target, args: never[]) {
          const made = new target(...args)
          list.push(made)
          return made
        },
      })
    window.RTCPeerConnection = keep(RTCPeerConnection as never, watched.connections) as never
    window.WebSocket = keep(WebSocket as never, watched.sockets) as never
  }, relayOnly)
}

export interface Meeting {
  doctor: Person
  patient: Person
  consultation: Consultation
}

/** A doctor whom patients can consult by video, free of charge. */
export const practiseByVideo = (url: string, name: string, profile: Partial<Doctor> = {}) =>
  Person.practise(url, name, { ...profile, services: [{ service: 'advice', medium: 'video', price: 0, currency: 'CNY', minutes: 15 }] })

/** Two who are in a consultation by video. */
export async function meeting(url: string): Promise<Meeting> {
  const doctor = await practiseByVideo(url, '王芳')
  const patient = await Person.register(url, 'patient', '张波')
  const consultation = await patient.consult(doctor, undefined, 'video')
  await doctor.accept(consultation)
  return { doctor, patient, consultation }
}

/** Logs in and opens the consultation. */
export async function enter(page: Page, person: Person, consultationId: string, relayOnly = false): Promise<void> {
  await watchMedia(page, relayOnly)
  await logIn(page, person.user.email, password, `/consultations/${consultationId}`)
  await expect(page.getByRole('button', { name: '发起通话' })).toBeVisible()
}

export interface Traffic {
  audio: number
  video: number
  /** The kinds of local candidates on the paths in use. */
  paths: string[]
}

/** Bytes that have come in over the connections that are open. */
export function traffic(page: Page): Promise<Traffic> {
  return page.evaluate(async () => {
    const sum: Traffic = { audio: 0, video: 0, paths: [] }
    for (const pc of window.watched.connections) {
      if (pc.connectionState === 'closed') continue
      const report = (await pc.getStats()) as unknown as Map<string, Record<string, unknown>>
      for (const stat of report.values()) {
        if (stat.type === 'inbound-rtp') sum[stat.kind as 'audio' | 'video'] += Number(stat.bytesReceived)
        if (stat.type === 'candidate-pair' && stat.nominated && stat.state === 'succeeded') {
          sum.paths.push(String(report.get(String(stat.localCandidateId))?.candidateType))
        }
      }
    }
    return sum
  })
}

/** Waits until more has come in than at the time of asking. */
export async function flows(page: Page, kinds: ('audio' | 'video')[] = ['audio', 'video'], from?: Traffic): Promise<void> {
  const before = from ?? (await traffic(page))
  await expect
    .poll(async () => {
      const now = await traffic(page)
      // What came over a connection that has ended since does not count.
      for (const kind of kinds) before[kind] = Math.min(before[kind], now[kind])
      return kinds.every((kind) => now[kind] > before[kind] + 1000)
    }, { timeout: 45_000 })
    .toBe(true)
}

export async function calls(page: Page, medium: '视频通话' | '语音通话'): Promise<void> {
  await page.getByRole('button', { name: '发起通话' }).click()
  await page.getByRole('menuitem', { name: medium }).click()
}

export const answer = (page: Page) => incoming(page).getByRole('button', { name: '接听', exact: true }).click()
export const hangUp = (page: Page) => callScreen(page).getByRole('button', { name: '挂断' }).click()
export const incoming = (page: Page) => page.getByRole('alertdialog')
export const callScreen = (page: Page) => page.getByTestId('call')
