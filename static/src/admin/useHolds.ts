import { useI18n } from 'vue-i18n'
import { oversightApi } from '@/admin/api'
import { useAction } from '@/composables/useAction'
import { usePages } from '@/composables/usePages'
import { useConfirmDialog } from '@/composables/useConfirmDialog'
import { useToast } from '@/composables/useToast'

/** Someone whose data is held, or is to be; without a name they have erased their account. */
export interface Held {
  id: string
  name: string
}

/** The legal holds, and how one is placed and lifted. The list is read again after either. */
export function useHolds() {
  const { t } = useI18n()
  const toast = useToast()
  const userConfirms = useConfirmDialog()
  const { busy, run } = useAction()
  const list = usePages(oversightApi.holds)
  void list.load()

  const nameOf = (person: Held) => person.name || t('admin.erased')
  const isHeld = (userId: string) => list.items.value?.some((hold) => hold.userId === userId) ?? false

  async function change(work: () => Promise<unknown>, said: string) {
    const done = await run(async () => {
      await work()
      toast.done(said)
    })
    await list.load() // also when another admin was quicker
    return done
  }

  const place = (person: Held, reason: string) => change(() => oversightApi.hold(person.id, reason), t('hold.placed', { name: nameOf(person) }))

  async function release(person: Held) {
    const name = nameOf(person)
    if (!(await userConfirms({ title: t('hold.releaseOf', { name }), text: t('hold.releaseText'), confirm: t('hold.release'), danger: true }))) return
    await change(() => oversightApi.release(person.id), t('hold.released', { name }))
  }

  return { list, busy, nameOf, isHeld, place, release }
}
