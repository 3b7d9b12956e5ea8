import { computed, onScopeDispose, ref, shallowRef, triggerRef, watch, type Ref } from 'vue'
import type { Failure } from '@/api/failure'
import type { SlotChange } from '@/api/wire.gen'
import { SlotBoard } from '@/schedule/slotBoard'
import { useSchedules } from '@/stores/schedules'
import { useNow } from './useNow'

export interface Stretch {
  from: string
  to: string
}

const restMs = 300

/** A doctor's free slots in a stretch of time, live for as long as the component lives. */
export function useDoctorSlots(doctorId: string, stretch: Ref<Stretch>) {
  const schedules = useSchedules()
  const now = useNow()
  const board = shallowRef(new SlotBoard())
  const timeZone = ref('')
  const loaded = ref(false)
  const failure = ref<Failure>()
  let again: ReturnType<typeof setTimeout> | undefined

  const inStretch = ({ start }: SlotChange) => Date.parse(start) >= Date.parse(stretch.value.from) && Date.parse(start) < Date.parse(stretch.value.to)

  const watching = schedules.watch(
    { doctorId, ...stretch.value },
    {
      asking: () => board.value.asking(),
      answered: (list) => {
        board.value.answered(list)
        timeZone.value = list.timeZone
        loaded.value = true
        failure.value = undefined
        triggerRef(board)
      },
      failed: (why) => (failure.value = why),
      changed: (change) => {
        if (!board.value.change(change) && inStretch(change)) askSoon()
        triggerRef(board)
      },
      outdated: () => askSoon(),
    },
  )

  /** Many changes at once ask once. */
  function askSoon(): void {
    clearTimeout(again)
    again = setTimeout(() => watching.ask(), restMs)
  }

  watch(stretch, (next) => {
    board.value = new SlotBoard()
    loaded.value = false
    watching.ask({ ...next })
  })
  onScopeDispose(() => {
    clearTimeout(again)
    watching.stop()
  })

  return {
    slots: computed(() => board.value.free(now.value)),
    /** Of the doctor's rules. */
    timeZone,
    loaded,
    failure,
    retry: () => {
      failure.value = undefined
      watching.ask()
    },
  }
}
