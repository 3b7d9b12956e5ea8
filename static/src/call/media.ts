/** Why a microphone, a camera or a screen cannot be had. */
export type MediaTrouble = 'denied' | 'missing' | 'busy' | 'insecure' | 'unknown'

export type DeviceKind = 'audioinput' | 'videoinput' | 'audiooutput'

/** The names are those of getUserMedia's errors (W3C Media Capture and Streams). */
export function troubleOf(thrown: unknown): MediaTrouble {
  switch (thrown instanceof Error || thrown instanceof DOMException ? thrown.name : '') {
    case 'NotAllowedError':
      return 'denied'
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing'
    case 'NotReadableError':
    case 'AbortError':
      return 'busy'
    case 'InsecureContext':
      return 'insecure'
  }
  return 'unknown'
}

const chosenKey = (kind: DeviceKind) => `wenzhen.device.${kind}`
export const chosenDevice = (kind: DeviceKind) => localStorage.getItem(chosenKey(kind)) ?? undefined
export const chooseDevice = (kind: DeviceKind, id: string) => localStorage.setItem(chosenKey(kind), id)

const relayKey = 'wenzhen.call.relay'
/** Whether calls use the relay only, so that the user's address is not revealed. */
export const relayOnly = () => localStorage.getItem(relayKey) === 'yes'
export const setRelayOnly = (yes: boolean) => (yes ? localStorage.setItem(relayKey, 'yes') : localStorage.removeItem(relayKey))

function devices(): MediaDevices {
  // Browsers hide it on pages that were not loaded securely.
  const found = navigator.mediaDevices as MediaDevices | undefined
  if (!found) throw Object.assign(new Error('this page was not loaded securely'), { name: 'InsecureContext' })
  return found
}

/**
 * Opens the device that was chosen, or any if it is not there any more. A
 * device that is merely preferred would lose to one with a sharper picture.
 */
async function open(kind: 'audioinput' | 'videoinput', wanted: MediaTrackConstraints): Promise<MediaStream> {
  const ask = (constraints: MediaTrackConstraints) => devices().getUserMedia(kind === 'audioinput' ? { audio: constraints } : { video: constraints })
  const chosen = chosenDevice(kind)
  if (!chosen) return ask(wanted)
  try {
    return await ask({ ...wanted, deviceId: { exact: chosen } })
  } catch (thrown) {
    if (troubleOf(thrown) !== 'missing') throw thrown
    return ask(wanted)
  }
}

function first(tracks: MediaStreamTrack[]): MediaStreamTrack {
  const [track] = tracks
  if (!track) throw new DOMException('no track', 'NotFoundError')
  return track
}

export async function openMicrophone(): Promise<MediaStreamTrack> {
  const stream = await open('audioinput', { echoCancellation: true, noiseSuppression: true })
  return first(stream.getAudioTracks())
}

export async function openCamera(): Promise<MediaStreamTrack> {
  const stream = await open('videoinput', { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24 } })
  return first(stream.getVideoTracks())
}

export async function openScreen(): Promise<MediaStreamTrack> {
  const stream = await devices().getDisplayMedia({ video: { frameRate: { max: 15 } } })
  return first(stream.getVideoTracks())
}

export async function listDevices(kind: DeviceKind): Promise<MediaDeviceInfo[]> {
  try {
    return (await devices().enumerateDevices()).filter((device) => device.kind === kind && device.deviceId !== '')
  } catch {
    return []
  }
}

/** Follows how loud a track is, from 0 to 1, until stop is called. */
export function watchLevel(track: MediaStreamTrack, onLevel: (level: number) => void): () => void {
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 512
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length
    // -60 dB is silence, -10 dB is loud.
    onLevel(Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 60) / 50)))
  }, 80)
  return () => {
    clearInterval(timer)
    void context.close()
  }
}
