import { http } from '@/api'
import type { HealthReport, SettingList, StatusCounts } from '@/api/wire.gen'

/** REST calls of the admin dashboard about the running server. */
export const operations = {
  health: () => http.json<HealthReport>('GET', '/admin/health'),
  settings: () => http.json<SettingList>('GET', '/admin/settings'),
  counts: () => http.json<StatusCounts>('GET', '/admin/consultations/counts'),
}
