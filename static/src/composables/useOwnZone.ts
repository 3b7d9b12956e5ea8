import { computed } from 'vue'
import { deviceZone } from '@/schedule/zone'
import { useSession } from '@/stores/session'

/** The zone that someone has chosen in the account, or that of the device. */
export function useOwnZone() {
  const session = useSession()
  return computed(() => session.user?.timeZone || deviceZone())
}
