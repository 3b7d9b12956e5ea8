import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Ask, Outbox } from 'wenzhen-client'
import { Failure } from '@/api/failure'
import type { AnyLogEvent, Consultation, ConsultationJoined, Message, MessagePage, Participant } from '@/api/wire.gen'
import { Conversation, emptyState, type ConversationDeps } from './conversation'

const me = 'patient'
const at = (seq: number) => new Date(Date.UTC(2026, 0, 1, 8, 0, seq)).toISOString()
const consultation = (status: Consultation['status'], seq = 0) => ({ id: 'c', status, createdAt: at(0), updatedAt: at(seq), doctorId: 'doctor', userId: me }) as Consultation
const message = (seq: number, senderId = 'doctor'): Message => ({ id: `m${seq}`, clientId: `k${seq}`, consultationId: 'c', seq, senderId, kind: 'text', text: `${seq}`, createdAt: at(seq) })
const person = (userId: string): Participant => ({ userId, name: userId, role: userId as Participant['role'], joinedAt: at(0), deliveredUpTo: 0, readUpTo: 0 })

let events: AnyLogEvent[]
let pages: MessagePage[]
let asked: [string, unknown][]
let conversation: Conversation

function event<N extends AnyLogEvent['name']>(name: N, data: Extract<AnyLogEvent, { name: N }>['data'], seq = (events.at(-1)?.seq ?? 0) + 1): AnyLogEvent {
  const made = { room: 'consultation:c', seq, id: `e${seq}`, name, at: at(seq), actorId: '', data } as AnyLogEvent
  events.push(made)
  return made
}

beforeEach(() => {
  events = []
  pages = []
  asked = []
  const ask = vi.fn(async (name: string, input: { after?: number }) => {
    asked.push([name, input])
    const joined: ConsultationJoined = {
      consultation: consultation('active', 99),
      participants: [person(me), person('doctor')],
      former: [],
      presence: [{ userId: 'doctor', online: true, devices: 1 }],
      events: events.filter((e) => e.seq > (input.after ?? 0)),
      lastSeq: events.at(-1)?.seq ?? 0,
      hasMore: false,
      readUpTo: 0,
    }
    return joined
  })
  const outbox = { of: () => [], seen: () => undefined } as unknown as Outbox
  const history: ConversationDeps['history'] = async () => {
    const page = pages.shift()
    if (!page) throw Failure.offline()
    return page
  }
  conversation = new Conversation(emptyState('c'), { me, ask: ask as unknown as Ask, outbox, history })
})

const live = (e: AnyLogEvent) => conversation.log.receive(e)
const texts = () => conversation.state.messages.map((m) => m.text ?? '–')

describe('Conversation', () => {
  test('shows what the join brings and what comes after', async () => {
    event('message:created', message(1))
    await conversation.log.catchUp()
    live(event('message:created', message(2, me)))
    expect(texts()).toEqual(['1', '2'])
    expect(conversation.state.online).toEqual(['doctor'])
    expect(conversation.state.hasOlder).toBe(false)
  })

  test('counts what others said until it is read, on whichever device', async () => {
    event('message:created', message(1))
    event('message:created', message(2, me))
    event('message:created', message(3))
    await conversation.log.catchUp()
    expect(conversation.state.unread).toBe(2)
    live(event('message:read', { consultationId: 'c', userId: me, upToSeq: 1 }))
    expect(conversation.state.unread).toBe(1)
  })

  test('who left is shown no more, and keeps the name of what they said', async () => {
    const aunt = { ...person('aunt'), role: 'relative' as const }
    await conversation.log.catchUp()
    live(event('participant:joined', aunt))
    expect(conversation.state.participants.map((p) => p.userId)).toContain('aunt')
    live(event('participant:left', { userId: 'aunt', reason: 'removed' }))
    expect(conversation.state.participants.map((p) => p.userId)).not.toContain('aunt')
    expect(conversation.state.former.map((p) => p.name)).toEqual(['aunt'])
    expect(conversation.state.out).toBe(false)
    live(event('participant:left', { userId: me, reason: 'removed' }))
    expect(conversation.state.out).toBe('removed')
  })

  test('watermarks only grow', async () => {
    await conversation.log.catchUp()
    live(event('message:read', { consultationId: 'c', userId: 'doctor', upToSeq: 5 }))
    live(event('message:read', { consultationId: 'c', userId: 'doctor', upToSeq: 3 }))
    expect(conversation.state.participants[1]?.readUpTo).toBe(5)
  })

  test('older pages go in front, without doubles', async () => {
    event('message:created', message(51), 51)
    event('message:created', message(52), 52)
    await conversation.log.catchUp()
    expect(conversation.state.hasOlder).toBe(true)
    pages = [{ items: [message(49), message(50), message(51)], hasMore: false }]
    await conversation.loadOlder()
    expect(texts()).toEqual(['49', '50', '51', '52'])
    expect(conversation.state.hasOlder).toBe(false)
  })

  test('a page that fails can be asked for again', async () => {
    event('message:created', message(51), 51)
    await conversation.log.catchUp()
    expect(await conversation.loadOlder()).toBe(false)
    pages = [{ items: [message(50)], hasMore: true }]
    expect(await conversation.loadOlder()).toBe(true)
    expect(texts()).toEqual(['50', '51'])
  })

  test('a recall reaches also a message that a stale page brings later', async () => {
    event('message:created', message(51), 51)
    await conversation.log.catchUp()
    live(event('message:recalled', { ...message(50), text: undefined, recalledAt: at(60) }, 52))
    pages = [{ items: [message(50)], hasMore: false }]
    await conversation.loadOlder()
    expect(conversation.state.messages[0]).toMatchObject({ id: 'm50', recalledAt: at(60) })
  })

  test('finds a message pages away', async () => {
    event('message:created', message(90), 90)
    await conversation.log.catchUp()
    pages = [
      { items: [message(50)], hasMore: true },
      { items: [message(10)], hasMore: true },
      { items: [message(1)], hasMore: false },
    ]
    expect((await conversation.find((m) => m.seq === 10))?.id).toBe('m10')
    expect(pages).toHaveLength(1)
    expect(await conversation.find((m) => m.seq === 77)).toBeUndefined()
  })

  test('shows each note once, although the answer of the join is newer than the log', async () => {
    for (const status of ['waiting', 'active', 'on_hold', 'active', 'ended', 'active'] as const) {
      const seq = events.length + 1
      event('consultation:updated', { ...consultation(status, seq), acceptedAt: seq > 1 ? at(2) : undefined, endedAt: status === 'ended' ? at(seq) : undefined })
    }
    await conversation.log.catchUp()
    await conversation.log.catchUp()
    expect(conversation.state.notes.map((n) => n.kind)).toEqual(['opened', 'accepted', 'held', 'resumed', 'ended', 'reopened'])
    expect(conversation.state.consultation?.updatedAt).toBe(at(99))
  })

  test('what events leave out is kept as it was known', async () => {
    await conversation.log.catchUp()
    conversation.state.consultation = { ...consultation('active', 99), priorDiagnosis: 'hypertension', reason: 'a first one' }
    live(event('consultation:updated', { ...consultation('on_hold', 100), reason: 'the laboratory' }))
    expect(conversation.state.consultation).toMatchObject({ priorDiagnosis: 'hypertension', reason: 'the laboratory' })
    live(event('consultation:updated', consultation('on_hold', 101)))
    expect(conversation.state.consultation?.reason).toBe('the laboratory')
    live(event('consultation:updated', consultation('active', 102)))
    expect(conversation.state.consultation).toMatchObject({ priorDiagnosis: 'hypertension', reason: undefined })
  })

  test('who leaves is neither there nor writing', async () => {
    await conversation.log.catchUp()
    conversation.typingStarted({ consultationId: 'c', userId: 'doctor' })
    expect(conversation.state.typing).toEqual(['doctor'])
    conversation.presence({ consultationId: 'c', userId: 'doctor', online: false, devices: 0 })
    expect(conversation.state).toMatchObject({ online: [], typing: [] })
  })
})
