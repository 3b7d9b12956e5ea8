import { defineStore } from 'pinia'
import { openNamespace } from 'wenzhen-client'
import { tokens } from '@/api'
import type { Appointment, SlotsInput, Wait } from '@/api/wire.gen'
import { Schedules, type SlotListener, type Watching } from '@/realtime/schedules'
import { useSession } from './session'

interface Ears {
  appointment?: (appointment: Appointment) => void
  wait?: (wait: Wait) => void
  online?: () => void
}

/** The connection to /schedules: there while a page needs it, anew for another login. */
export const useSchedules = defineStore('schedules', () => {
  const session = useSession()
  const ears = new Set<Ears>()
  let live: { schedules: Schedules; owner: string | undefined } | undefined
  let holders = 0

  function open(): Schedules {
    const owner = session.user?.id
    if (live && live.owner !== owner) close()
    live ??= {
      owner,
      // A connection of its own: guests have none to /consultations, and it ends with the last page that needs it.
      schedules: new Schedules(openNamespace('/schedules', { forceNew: true }), tokens, {
        appointment: (appointment) => ears.forEach((e) => e.appointment?.(appointment)),
        wait: (wait) => ears.forEach((e) => e.wait?.(wait)),
        online: () => ears.forEach((e) => e.online?.()),
      }),
    }
    return live.schedules
  }

  function close(): void {
    live?.schedules.close()
    live = undefined
  }

  function released(): void {
    if (--holders === 0) close()
  }

  /** Subscribes to events of the user's appointments until the returned function is called. */
  function listen(ear: Ears): () => void {
    holders++
    ears.add(ear)
    open()
    return () => {
      ears.delete(ear)
      released()
    }
  }

  function watch(input: SlotsInput, listener: SlotListener): Watching {
    holders++
    const watching = open().watch(input, listener)
    return {
      ask: watching.ask,
      stop: () => {
        watching.stop()
        released()
      },
    }
  }

  return { listen, watch }
})
