import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { Connection } from 'wenzhen-client'
import { newId } from '@/api/id'
import { Failure } from '@/api/failure'
import type { Call, ICEServer, MemberState, Ring, Signalling } from '@/api/wire.gen'
import { chosenDevice, type DeviceKind, type MediaTrouble, openCamera, openMicrophone, openScreen, relayOnly, troubleOf } from '@/call/media'
import { Mesh, type Remote } from '@/call/mesh'
import { useRealtime } from './realtime'
import { useSession } from './session'

type Medium = Call['medium']
/** What cannot be had, and why. */
export type Troubles = Partial<Record<'microphone' | 'camera' | 'screen', MediaTrouble | undefined>>

/** The server takes who is silent for 45 seconds for gone. */
const heartbeatMs = 10_000
/** How many steps of the others wait for a call that one is about to be in. */
const earlyMost = 200
/** The key of the call that this page was in, for when it is reloaded. */
const resumeKey = 'wenzhen.call'

/** The one call that this page is in, or that rings here. */
export const useCall = defineStore('call', () => {
  const realtime = useRealtime()
  const session = useSession()
  /** This page: calls are answered by one device. */
  const device = newId()

  const incoming = ref<Ring>()
  const current = ref<Call>()
  /** A call that one is in on another device. */
  const elsewhere = ref<Call>()
  /** Calls that go on without this user, by consultation: anyone in the room may join. */
  const others = ref<Record<string, Call>>({})
  const ended = ref<Call>()
  const remotes = shallowRef<Remote[]>([])
  const states = ref<Record<string, MemberState>>({})
  const microphone = shallowRef<MediaStreamTrack | null>(null)
  const camera = shallowRef<MediaStreamTrack | null>(null)
  const screen = shallowRef<MediaStreamTrack | null>(null)
  const muted = ref(false)
  const troubles = ref<Troubles>({})
  const small = ref(false)
  /** Whether pictures of the others are taken; they go on by voice alone otherwise. */
  const pictures = ref(true)
  const speaker = ref(chosenDevice('audiooutput'))

  const me = computed(() => session.user?.id ?? '')
  const ringing = computed(() => current.value?.status === 'ringing')
  const sharing = computed(() => screen.value !== null)

  let mesh: Mesh | undefined
  let beat: ReturnType<typeof setInterval> | undefined
  let bound: (() => void)[] = []
  /** The call that the user is joining: the other members send their state when they are notified. */
  let entering: string | undefined
  let inviting = false
  /** Their offers, which come before one is ready for them. */
  let early: Signalling[] = []

  const tracks = () => ({ audio: muted.value ? null : microphone.value, video: screen.value ?? camera.value })

  watch(
    () => realtime.live?.connection,
    (connection) => {
      for (const forget of bound) forget()
      bound = connection ? listen(connection) : []
      if (!connection) forgetAll()
    },
    { immediate: true },
  )

  function listen(connection: Connection): (() => void)[] {
    if (connection.link === 'online') void catchUp()
    return [
      connection.onSignal('call:ringing', (ring) => rings(ring)),
      connection.onSignal('call:answered-elsewhere', (answer) => {
        if (incoming.value?.call.id === answer.callId && answer.deviceId !== device) incoming.value = undefined
      }),
      connection.onSignal('call:signal', (signal) => {
        if (signal.callId === current.value?.id) mesh?.receive(signal)
        else if (signal.callId === entering && early.length < earlyMost) early.push(signal)
      }),
      connection.onSignal('call:state', (state) => {
        if (state.callId === (current.value?.id ?? entering)) states.value[state.userId] = state
      }),
      connection.onEntry((entry) => {
        if (entry.name === 'call:updated') changed(entry.data as Call)
      }),
      connection.onLink((link) => {
        if (link === 'online') void catchUp()
      }),
    ]
  }

  /** Loads the ringing and current calls after reconnecting; a page that was reloaded continues its call. */
  async function catchUp(): Promise<void> {
    let live: Call[]
    try {
      live = (await realtime.ask('call:list', {})).items
    } catch {
      return // loaded again on the next connection
    }
    const mine = current.value
    if (mine) {
      const now = live.find((call) => call.id === mine.id)
      if (!now) return over({ ...mine, status: 'ended' })
      changed(now)
      tellState()
      mesh?.restart()
      return
    }
    elsewhere.value = undefined
    others.value = {}
    for (const call of live) {
      noteOther(call)
      const member = call.members.find((m) => m.userId === me.value)
      if (member?.status === 'ringing' && member.ringUntil) {
        const caller = call.members.find((m) => m.userId === call.callerId)
        rings({ call, callerName: caller?.name ?? '', ringUntil: member.ringUntil })
      } else if (member?.status === 'joined') {
        if (sessionStorage.getItem(resumeKey) === call.id) await answer(call, true)
        else elsewhere.value = call
      }
    }
  }

  function rings(ring: Ring): void {
    if (!current.value) incoming.value = ring
  }

  /** The server says how a call stands. */
  function changed(call: Call): void {
    const live = call.status === 'ringing' || call.status === 'active'
    noteOther(call)
    const mine = call.members.find((m) => m.userId === me.value)
    if (incoming.value?.call.id === call.id && mine?.status !== 'ringing') incoming.value = undefined
    const there = live && mine?.status === 'joined' && mine.deviceId !== device
    if (there) elsewhere.value = call
    else if (elsewhere.value?.id === call.id) elsewhere.value = undefined
    if (current.value?.id !== call.id) return
    if (!live || mine?.status !== 'joined' || mine.deviceId !== device) return over(call)
    current.value = call
    mesh?.update(call)
    tellState()
  }

  function noteOther(call: Call): void {
    const joined = call.members.some((m) => m.userId === me.value && m.status === 'joined')
    if (call.status === 'active' && !joined) others.value[call.consultationId] = call
    else if (others.value[call.consultationId]?.id === call.id) Reflect.deleteProperty(others.value, call.consultationId)
  }

  /** Starts a call. The browser asks for the devices first: the other side must not wait for an answer to that. */
  async function invite(consultationId: string, medium: Medium): Promise<void> {
    if (current.value || inviting) return
    troubles.value = {}
    inviting = true
    try {
      await openMedia(medium)
      const { call, iceServers } = await realtime.ask('call:invite', { consultationId, medium, callId: newId(), deviceId: device })
      if (call.callerId !== me.value || call.members.find((m) => m.userId === me.value)?.deviceId !== device) {
        stopTracks() // a call that goes on already, perhaps of another medium
        await answer(call, false)
      } else if (call.status !== 'ringing') over(call)
      else await enter(call, iceServers, true)
    } catch (thrown) {
      if (!current.value) stopTracks()
      throw thrown
    } finally {
      inviting = false
    }
  }

  async function answer(call: Call, move: boolean, medium: Medium = call.medium): Promise<void> {
    troubles.value = {}
    incoming.value = elsewhere.value = undefined
    states.value = {}
    entering = call.id
    early = []
    try {
      const joined = await realtime.ask('call:accept', { callId: call.id, deviceId: device, move })
      const { iceServers } = await realtime.ask('call:servers', { callId: call.id })
      await enter({ ...joined, medium }, iceServers)
    } catch (thrown) {
      const failure = Failure.from(thrown)
      if (failure.code === 'conflict') over(call)
      else throw failure
    } finally {
      entering = undefined
    }
  }

  async function decline(): Promise<void> {
    const ring = incoming.value
    incoming.value = undefined
    if (ring) await realtime.ask('call:decline', { callId: ring.call.id, deviceId: device })
  }

  /** The call is ours: open what we speak and show with, and connect. */
  async function enter(call: Call, servers: ICEServer[], opened = false): Promise<void> {
    current.value = call
    ended.value = undefined
    small.value = false
    pictures.value = true
    sessionStorage.setItem(resumeKey, call.id)
    mesh = new Mesh({
      me: me.value,
      device,
      servers,
      relayOnly: relayOnly(),
      tracks,
      // A step that is lost is made up for when the connection is back.
      signal: (to, step) => void realtime.ask('call:signal', { callId: call.id, to, deviceId: device, ...step }).catch(() => undefined),
      renew: async () => (await realtime.ask('call:servers', { callId: call.id })).iceServers,
      changed: (now) => (remotes.value = now),
    })
    for (const signal of early.splice(0)) mesh.receive(signal)
    beat = setInterval(tellState, heartbeatMs)
    const own = mesh
    if (!opened) await openMedia(call.medium)
    if (mesh !== own) return stopTracks() // it ended meanwhile
    mesh.update(current.value)
    switched() // who joined meanwhile has been answered without sound and picture
  }

  async function openMedia(medium: Medium): Promise<void> {
    const open = async (name: 'microphone' | 'camera', get: () => Promise<MediaStreamTrack>) => {
      try {
        return await get()
      } catch (thrown) {
        troubles.value[name] = troubleOf(thrown)
        return null
      }
    }
    microphone.value = await open('microphone', openMicrophone)
    if (medium === 'video') camera.value = await open('camera', openCamera)
  }

  function tellState(): void {
    const call = current.value
    if (!call) return
    void realtime
      .ask('call:state', { callId: call.id, deviceId: device, microphone: !muted.value && microphone.value !== null, camera: camera.value !== null, screen: sharing.value })
      .catch(() => undefined)
  }

  function switched(): void {
    mesh?.useTracks()
    tellState()
  }

  async function toggleMicrophone(): Promise<void> {
    if (microphone.value) muted.value = !muted.value
    else await tried('microphone', async () => (microphone.value = await openMicrophone()))
    switched()
  }

  async function toggleCamera(): Promise<void> {
    if (camera.value) {
      camera.value.stop()
      camera.value = null
    } else {
      takePictures(true)
      await tried('camera', async () => (camera.value = await openCamera()))
    }
    switched()
  }

  /** Pictures are too much for a poor network: none go out any more, and none come in. */
  async function goOnByVoice(): Promise<void> {
    takePictures(false)
    if (camera.value) await toggleCamera()
  }

  function takePictures(yes: boolean): void {
    pictures.value = yes
    mesh?.takePictures(yes)
  }

  async function toggleScreen(): Promise<void> {
    if (screen.value) {
      screen.value.stop()
      screen.value = null
    } else {
      await tried('screen', async () => {
        const track = await openScreen()
        screen.value = track
        track.addEventListener('ended', () => {
          if (screen.value === track) void toggleScreen()
        })
      })
    }
    switched()
  }

  /** Another device has been chosen: use it at once. */
  async function switchDevice(kind: DeviceKind): Promise<void> {
    speaker.value = chosenDevice('audiooutput')
    if (kind === 'audioinput' && microphone.value) {
      microphone.value.stop()
      await tried('microphone', async () => (microphone.value = await openMicrophone()))
    }
    if (kind === 'videoinput' && camera.value) {
      camera.value.stop()
      await tried('camera', async () => (camera.value = await openCamera()))
    }
    switched()
  }

  async function tried(name: keyof Troubles, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
      troubles.value[name] = undefined
    } catch (thrown) {
      const kind = troubleOf(thrown)
      // Who closes the picker of screens has not been refused anything.
      if (name !== 'screen' || kind !== 'denied') troubles.value[name] = kind
    }
  }

  /** Hangs up; what the server makes of it comes as an event, the page does not wait for it. */
  async function hangUp(failed = false): Promise<void> {
    const call = current.value
    if (!call) return
    over(call)
    if (failed) await realtime.ask('call:end', { callId: call.id, failed })
    else await realtime.ask('call:leave', { callId: call.id, deviceId: device })
  }

  function over(call: Call): void {
    ended.value = call
    current.value = incoming.value = undefined
    sessionStorage.removeItem(resumeKey)
    mesh?.close()
    mesh = undefined
    clearInterval(beat)
    remotes.value = []
    states.value = {}
    muted.value = false
    troubles.value = {}
    stopTracks()
  }

  function stopTracks(): void {
    for (const track of [microphone, camera, screen]) {
      track.value?.stop()
      track.value = null
    }
  }

  function forgetAll(): void {
    if (current.value) over(current.value)
    incoming.value = elsewhere.value = ended.value = undefined
    others.value = {}
  }

  return {
    device, incoming, current, elsewhere, others, ended, remotes, states, microphone, camera, screen, muted, troubles, small, pictures, speaker, me, ringing, sharing,
    invite, answer, decline, hangUp, toggleMicrophone, toggleCamera, toggleScreen, goOnByVoice, switchDevice,
  }
})
