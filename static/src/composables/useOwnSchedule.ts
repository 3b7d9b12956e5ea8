import { ref } from 'vue'
import { Failure } from '@/api/failure'
import { scheduleApi } from '@/api/schedule'
import type { ExceptionAdded, ExceptionInput, Schedule } from '@/api/wire.gen'
import { changed, type RuleChange } from '@/schedule/rules'

/** A doctor's own schedule, and how to change it without treading on another device. */
export function useOwnSchedule() {
  const schedule = ref<Schedule>()
  const failure = ref<Failure>()

  async function load(): Promise<void> {
    try {
      schedule.value = await scheduleApi.schedule()
      failure.value = undefined
    } catch (thrown) {
      failure.value = Failure.from(thrown)
    }
  }

  /**
   * Saves a change of the rules or the zone. False when they had changed
   * elsewhere: the newest are loaded, and nothing has been saved.
   */
  async function save(change: RuleChange | { timeZone: string }): Promise<boolean> {
    const now = schedule.value
    if (!now) return false
    const next = 'timeZone' in change ? { timeZone: change.timeZone, rules: now.rules } : { timeZone: now.timeZone, rules: changed(now.rules, change) }
    try {
      schedule.value = await scheduleApi.saveSchedule({ ...next, version: now.version })
      return true
    } catch (thrown) {
      if (Failure.from(thrown).code !== 'conflict') throw thrown
      schedule.value = await scheduleApi.schedule()
      return false
    }
  }

  async function addException(input: ExceptionInput): Promise<ExceptionAdded> {
    const added = await scheduleApi.addException(input)
    schedule.value = await scheduleApi.schedule()
    return added
  }

  async function removeException(id: string): Promise<void> {
    await scheduleApi.removeException(id)
    schedule.value = await scheduleApi.schedule()
  }

  void load()
  return { schedule, failure, load, save, addException, removeException }
}
