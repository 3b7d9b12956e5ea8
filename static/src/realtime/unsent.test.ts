import { beforeEach, describe, expect, test } from 'vitest'
import { outboxIn, type Unsent } from 'wenzhen-client'
import { type SignedOut, TokenKeeper } from '@/api/tokens'
import type { Login } from '@/api/wire.gen'
import { draftKey, forgetUnsentOnSignOut } from './unsent'

const login = (id: string) => ({ user: { id }, accessToken: 'a', refreshToken: 'r', expiresIn: 900 }) as unknown as Login
const unsent = (senderId: string, clientId: string) =>
  ({ senderId, clientId, consultationId: 'c', kind: 'text', text: 'words', createdAt: '', state: 'waiting' }) as Unsent

describe('what is unsent', () => {
  beforeEach(() => localStorage.clear())

  test.each<SignedOut>(['asked', 'revoked', 'expired', 'elsewhere'])('is removed when the login ends: %s', (why) => {
    const tokens = new TokenKeeper(localStorage, (_, work) => work(), () => Promise.reject(new Error('not asked')))
    let forgotten: number | undefined
    forgetUnsentOnSignOut(tokens, localStorage, (count) => (forgotten = count))
    tokens.signIn(login('bo'))
    localStorage.setItem(draftKey('bo', 'c'), 'words')
    localStorage.setItem(draftKey('bo', 'd'), 'more words')
    localStorage.setItem(draftKey('bob', 'c'), "another user's")
    outboxIn(localStorage).save(unsent('bo', '1'))
    outboxIn(localStorage).save(unsent('bob', '2'))
    tokens.signOut(why)
    expect(forgotten).toBe(3)
    expect(localStorage.getItem(draftKey('bob', 'c'))).not.toBeNull()
    expect(outboxIn(localStorage).load().map((message) => message.clientId)).toEqual(['2'])
    expect(Object.keys({ ...localStorage }).filter((key) => key.includes('bo.'))).toEqual([])
    expect(localStorage.getItem(draftKey('bo', 'c'))).toBeNull()
    expect(localStorage.getItem(draftKey('bo', 'd'))).toBeNull()
  })
})
