import { at, http } from '.'
import type { Inbox, InboxInput, NotificationMarked, MarkReadInput, MarkSeenInput, NotificationPreferences, SubscribeInput, Subscription } from './wire.gen'

/** REST of the inbox, its preferences, and this browser's pushes. */
export const notificationsApi = {
  list: (query: Pick<InboxInput, 'cursor' | 'limit'>) => http.json<Inbox>('GET', '/notifications', { query: { ...query } }),
  read: (body: MarkReadInput) => http.json<NotificationMarked>('POST', '/notifications/read', { body }),
  see: (body: MarkSeenInput) => http.json<undefined>('POST', '/notifications/see', { body }),
  preferences: () => http.json<NotificationPreferences>('GET', '/notifications/preferences'),
  savePreferences: (body: NotificationPreferences) => http.json<NotificationPreferences>('PUT', '/notifications/preferences', { body }),
  subscribe: (body: SubscribeInput) => http.json<Subscription>('POST', '/push-subscriptions', { body }),
  unsubscribe: (id: string) => http.json<undefined>('DELETE', at('/push-subscriptions', id)),
}
