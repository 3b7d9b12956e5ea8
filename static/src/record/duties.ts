import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import { recordApi } from '@/api/record'
import { useSession } from '@/stores/session'

/** The user's permissions for records beyond the role. */
export const useDuties = defineStore('duties', () => {
  const session = useSession()
  const pharmacist = ref(false)
  watch(
    () => session.user?.id,
    async () => {
      pharmacist.value = false
      if (session.role !== 'doctor' && session.role !== 'admin') return
      try {
        pharmacist.value = (await recordApi.duties()).pharmacist
      } catch {
        // Users can still open the page.
      }
    },
    { immediate: true },
  )
  return { pharmacist }
})
