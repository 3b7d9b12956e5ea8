import { onBeforeUnmount, ref, shallowRef } from 'vue'
import { openNamespace, ReconnectingSocket } from 'wenzhen-client'
import { tokens } from '@/api'
import { Failure } from '@/api/failure'
import type { StatsHistory, StatsReport, StatsSample } from '@/api/wire.gen'

/** The number of samples to keep: five minutes. */
const maxSamples = 150

/** Appends a sample, without samples of the same time or later, which the server may have sent before. */
export function withSample(samples: StatsSample[], report: StatsReport): StatsSample[] {
  return [...samples.filter((s) => s.at < report.at), report].slice(-maxSamples)
}

/** The socket of /admin while a component is mounted: statistics as they arrive, and commands. */
export function useAdminDashboard() {
  const history = shallowRef<StatsHistory>()
  const online = ref(false)
  const failure = ref<Failure>()
  const socket = openNamespace('/admin', { forceNew: true })

  async function load() {
    try {
      history.value = await connection.ask('stats:watch', {})
      failure.value = undefined
    } catch (thrown) {
      failure.value = Failure.from(thrown)
    }
  }
  socket.on('stats:updated', (report) => {
    if (history.value) history.value = { ...history.value, ...report, samples: withSample(history.value.samples, report) }
  })
  const connection: ReconnectingSocket<'/admin'> = new ReconnectingSocket(socket, tokens, {
    online: () => {
      online.value = true
      void load()
    },
    offline: (why) => {
      online.value = false
      if (why) failure.value = why
    },
  })
  onBeforeUnmount(() => connection.close())

  const ask: ReconnectingSocket<'/admin'>['ask'] = (name, input) => connection.ask(name, input)
  return { history, online, failure, ask, retry: () => connection.again() }
}
