import type { Session } from '@/api/wire.gen'
import { deviceName } from '@/format/device'
import { i18n } from '@/i18n'
import { useToast } from './useToast'

/** Tells whoever is here that their account was logged in to on a device that was not seen before. */
export function warnOfDevice(session: Session): void {
  useToast().warn(i18n.global.t('security.newDevice', { device: deviceName(session.userAgent) }))
}
