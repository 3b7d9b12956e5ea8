import type { Session } from '@/api/wire.gen'
import { deviceName } from '@/format/device'
import { i18n } from '@/i18n'
import { useToast } from './useToast'

/** Shows a warning that the account was logged in to on a new device. */
export function showNewLoginToast(session: Session): void {
  useToast().warn(i18n.global.t('security.newDevice', { device: deviceName(session.userAgent) }))
}
