import { outboxIn } from 'wenzhen-client'
import type { TokenKeeper } from '@/api/tokens'

/** Where this browser keeps what a user has typed in a consultation and not sent yet. */
export const draftKey = (userId: string, consultationId: string) => `wenzhen.draft.${userId}.${consultationId}`

/** Removes the drafts and unsent messages of a user, and returns how many there were. */
export function forgetUnsent(storage: Storage, userId: string): number {
  const drafts = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '').filter((key) => key.startsWith(draftKey(userId, '')))
  for (const key of drafts) storage.removeItem(key)
  const outbox = outboxIn(storage)
  const messages = outbox.load().filter((message) => message.senderId === userId)
  for (const message of messages) outbox.remove(message.clientId)
  return drafts.length + messages.length
}

/**
 * Removes unsent drafts and messages when a login ends, for any reason: another
 * person may use the browser next. Calls forgotten with how many there were.
 */
export function forgetUnsentOnSignOut(tokens: TokenKeeper, storage: Storage, forgotten: (count: number) => void): void {
  tokens.onSignedOut((_, user) => forgotten(forgetUnsent(storage, user.id)))
}
