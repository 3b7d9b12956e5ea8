import { at, http } from '.'
import type { Inbox, InboxInput, Marked, MarkReadInput, MarkSeenInput, Preferences, SubscribeInput, Subscription } from './wire.gen'

/** REST of the inbox, its preferences, and this browser's pushes. */
export const notificationsApi = {
  list: (query: Pick<InboxInput, 'cursor' | 'limit'>) => http.json<Inbox>('GET', '/notifications', { query: { ...query } }),
  read: (body: MarkReadInput) => http.json<Marked>('POST', '/notifications/read', { body }),
  see: (body: MarkSeenInput) => http.json<undefined>('POST', '/notifications/see', { body }),
  preferences: () => http.json<Preferences>('GET', '/notifications/preferences'),
  savePreferences: (body: Preferences) => http.json<Preferences>('PUT', '/notifications/preferences', { body }),
  subscribe: (body: SubscribeInput) => http.json<Subscription>('POST', '/push-subscriptions', { body }),
  unsubscribe: (id: string) => http.json<undefined>('DELETE', at('/push-subscriptions', id)),
}
