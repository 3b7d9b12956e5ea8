import { http } from '@/api'
import type { HealthReport, SettingList, StatusCounts } from '@/api/wire.gen'

/** What the admin's desk asks over REST about the server as it runs. */
export const operations = {
  health: () => http.json<HealthReport>('GET', '/admin/health'),
  settings: () => http.json<SettingList>('GET', '/admin/settings'),
  counts: () => http.json<StatusCounts>('GET', '/admin/consultations/counts'),
}
