import { computed } from 'vue'
import { deviceZone } from '@/schedule/zone'
import { useSession } from '@/stores/session'

/** The time zone of the user's account, or of the device if none is set. */
export function useOwnZone() {
  const session = useSession()
  return computed(() => session.user?.timeZone || deviceZone())
}
