import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { type MediaTrouble, openMicrophone, troubleOf } from '@/call/media'
import { useServerConfig } from '@/stores/serverConfig'
import { recordable, type Recorded, Recording } from './recording'

export type RecorderState = 'asking' | 'refused' | 'recording' | 'recorded'

/** A shorter one is a slip of the finger. */
const leastSeconds = 0.8
const shownLevels = 24

/** Records one voice message: requests the microphone immediately, and releases it with the component's scope. */
export function useRecorder() {
  const server = useServerConfig()
  const state = ref<RecorderState>('asking')
  const trouble = ref<MediaTrouble | 'unsupported' | 'short'>()
  const seconds = ref(0)
  /** The latest levels, for the meter. */
  const levels = ref<number[]>(Array.from({ length: shownLevels }, () => 0))
  const recorded = shallowRef<Recorded>()
  let recording: Recording | undefined
  let left = false

  const mostSeconds = computed(() => server.config.limits.voiceSeconds)
  const secondsLeft = computed(() => Math.max(0, Math.ceil(mostSeconds.value - seconds.value)))

  async function start(): Promise<void> {
    state.value = 'asking'
    trouble.value = recorded.value = undefined
    seconds.value = 0
    const container = recordable()
    if (!container) return refuse('unsupported')
    let track: MediaStreamTrack
    try {
      track = await openMicrophone()
    } catch (thrown) {
      return refuse(troubleOf(thrown))
    }
    if (left) return track.stop()
    try {
      recording = new Recording(track, container, { mostSeconds: mostSeconds.value, mostBytes: server.config.limits.voiceBytes, onLevel, done })
      state.value = 'recording'
    } catch (thrown) {
      track.stop()
      refuse(troubleOf(thrown))
    }
  }

  function refuse(why: NonNullable<typeof trouble.value>): void {
    trouble.value = why
    state.value = 'refused'
  }

  function onLevel(level: number): void {
    levels.value = [...levels.value.slice(1), level]
    seconds.value = recording?.seconds ?? 0
  }

  function done(result: Recorded): void {
    recording = undefined
    if (result.seconds < leastSeconds || result.file.size === 0) return refuse('short')
    recorded.value = result
    state.value = 'recorded'
  }

  void start()
  onScopeDispose(() => {
    left = true
    recording?.cancel()
  })
  return { state, trouble, seconds, secondsLeft, levels, recorded, start, stop: () => recording?.stop() }
}
