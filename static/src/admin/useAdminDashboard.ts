import { onBeforeUnmount, ref, shallowRef } from 'vue'
import { openNamespace, SteadySocket } from 'wenzhen-client'
import { tokens } from '@/api'
import { Failure } from '@/api/failure'
import type { StatsHistory, StatsReport, StatsSample } from '@/api/wire.gen'

/** How many samples of the past are shown: five minutes. */
const kept = 150

/** The samples with one more, of which the server may have told before. */
export function grown(samples: StatsSample[], report: StatsReport): StatsSample[] {
  return [...samples.filter((s) => s.at < report.at), report].slice(-kept)
}

/** The admin's socket while a page is open: figures as they come, and commands of /admin. */
export function useAdminDashboard() {
  const history = shallowRef<StatsHistory>()
  const online = ref(false)
  const failure = ref<Failure>()
  const socket = openNamespace('/admin', { forceNew: true })

  async function load() {
    try {
      history.value = await steady.ask('stats:watch', {})
      failure.value = undefined
    } catch (thrown) {
      failure.value = Failure.from(thrown)
    }
  }
  socket.on('stats:updated', (report) => {
    if (history.value) history.value = { ...history.value, ...report, samples: grown(history.value.samples, report) }
  })
  const steady: SteadySocket<'/admin'> = new SteadySocket(socket, tokens, {
    online: () => {
      online.value = true
      void load()
    },
    offline: (why) => {
      online.value = false
      if (why) failure.value = why
    },
  })
  onBeforeUnmount(() => steady.close())

  const ask: SteadySocket<'/admin'>['ask'] = (name, input) => steady.ask(name, input)
  return { history, online, failure, ask, retry: () => steady.again() }
}
