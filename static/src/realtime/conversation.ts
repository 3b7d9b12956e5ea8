import { type Ask, type Outbox, type RoomEvent, RoomLog, type Unsent } from 'wenzhen-client'
import type { Failure } from '@/api/failure'
import type { Consultation, Departure, Diagnosis, Entry, Former, ConsultationJoined, LeaveReason, Message, MessagePage, Participant, Prescription, PresenceChange, Queue, Receipt, Typing } from '@/api/wire.gen'
import { kept } from './kept'
import { noteOf, notesOf, type Note } from './notes'
import { Receipts } from './receipts'
import { TypingNotice, TypingWatch } from './typing'

/** All that a page shows of a consultation's room. */
export interface ConversationState {
  id: string
  consultation: Consultation | undefined
  participants: Participant[]
  /** Who took part before: what they said keeps their name. */
  former: Former[]
  /** Why the user takes part no more; false while they do. */
  out: false | LeaveReason
  /** User ids of who is in the room right now. */
  online: string[]
  /** User ids of who is writing. */
  typing: string[]
  /** By seq; the newest last. Older ones are fetched page by page. */
  messages: Message[]
  unsent: Unsent[]
  notes: Note[]
  /** Diagnoses and prescriptions by id, as in their latest events. */
  documents: Record<string, Diagnosis | Prescription>
  /** Messages of others that are not read yet. */
  unread: number
  joined: boolean
  hasOlder: boolean
  loadingOlder: boolean
  failure: Failure | undefined
}

export function emptyState(id: string): ConversationState {
  return {
    id,
    consultation: undefined,
    participants: [],
    former: [],
    out: false,
    online: [],
    typing: [],
    messages: [],
    unsent: [],
    notes: [],
    documents: {},
    unread: 0,
    joined: false,
    hasOlder: false,
    loadingOlder: false,
    failure: undefined,
  }
}

export interface ConversationDeps {
  me: string
  ask: Ask
  outbox: Outbox
  history: (id: string, query: { before?: number; limit?: number }) => Promise<MessagePage>
  /** Called when the list of consultations should know: status, unread, last message. */
  changed?: (state: ConversationState, event?: RoomEvent) => void
}

const pageSize = 50
const jumpPageSize = 200

/** One consultation's room: its log turned into a state that a page can show. */
export class Conversation {
  readonly log: RoomLog
  readonly typing: TypingNotice
  private readonly typingWatch: TypingWatch
  private readonly receipts: Receipts
  /** Recalls of messages that no page has brought yet. */
  private readonly recalled = new Map<string, Message>()
  private readonly listeners = new Set<(event: RoomEvent) => void>()
  private firstSeq: number | undefined
  private looking = false
  /** The consultation as of the last event; the state may be ahead of it. */
  private logged: Consultation | undefined

  constructor(
    readonly state: ConversationState,
    private readonly deps: ConversationDeps,
  ) {
    const consultationId = state.id
    this.receipts = new Receipts((kind, upToSeq) => deps.ask(kind, { consultationId, upToSeq }))
    // Lost typing notices are no harm.
    this.typing = new TypingNotice((name) => deps.ask(name, { consultationId }).catch(() => undefined))
    this.typingWatch = new TypingWatch((userIds) => (state.typing = userIds))
    this.log = new RoomLog((after) => deps.ask('consultation:join', { consultationId, after }), {
      joined: (room) => this.joined(room),
      deliver: (entry) => this.apply(entry),
      reset: () => this.clear(),
      failed: (failure) => (state.failure = failure),
    })
    this.unsentChanged()
  }

  unsentChanged(): void {
    const last = this.log.lastSeq ?? 0
    this.state.unsent = this.deps.outbox.of(this.state.id).filter((item) => !item.message || item.message.seq > last)
  }

  /** Calls the listener with every event of the log from now on, in order and once. */
  onEvent(listener: (event: RoomEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** The page is visible and scrolled to its end. */
  readAll(): void {
    const last = this.state.messages.findLast((m) => m.senderId !== this.deps.me)
    if (last) this.receipts.hasRead(last.seq)
  }

  /** Sets whether a page shows the room; the server sends no notifications for what a user sees. */
  look(looking: boolean): void {
    if (this.looking === looking) return
    this.looking = looking
    if (this.state.joined) this.tellLooking()
  }

  presence(change: PresenceChange): void {
    const others = this.state.online.filter((id) => id !== change.userId)
    this.state.online = change.online ? [...others, change.userId] : others
    if (!change.online) this.typingWatch.stopped(change.userId)
  }

  typingStarted({ userId }: Typing): void {
    if (userId !== this.deps.me) this.typingWatch.started(userId)
  }

  typingStopped({ userId }: Typing): void {
    this.typingWatch.stopped(userId)
  }

  queue(queue: Queue): void {
    if (this.state.consultation?.status === 'waiting') this.state.consultation.queue = queue
  }

  /** Fetches a page of older messages; false when it failed. */
  async loadOlder(limit = pageSize): Promise<boolean> {
    const { state } = this
    if (state.loadingOlder || !state.hasOlder) return true
    state.loadingOlder = true
    try {
      const page = await this.deps.history(state.id, { before: state.messages[0]?.seq ?? this.firstSeq, limit })
      const known = new Set(state.messages.map((m) => m.seq))
      const older = page.items.filter((m) => !known.has(m.seq)).map((m) => this.recalled.get(m.id) ?? m)
      state.messages.unshift(...older)
      state.hasOlder = page.hasMore
      this.countUnread()
      return true
    } catch {
      return false
    } finally {
      state.loadingOlder = false
    }
  }

  /** Pages back until the message is there; undefined when it is nowhere. */
  async find(matches: (message: Message) => boolean): Promise<Message | undefined> {
    for (;;) {
      const found = this.state.messages.find(matches)
      if (found || !this.state.hasOlder) return found
      if (!(await this.loadOlder(jumpPageSize))) return undefined
    }
  }

  close(): void {
    this.log.close()
    this.receipts.close()
    this.typing.stop()
  }

  private tellLooking(): void {
    // If it is lost, the next join reports it; until then there may be one notification too many or too few.
    this.deps.ask('consultation:look', { consultationId: this.state.id, looking: this.looking }).catch(() => undefined)
  }

  private joined(room: ConsultationJoined): void {
    const { state } = this
    this.tellLooking()
    state.consultation = { ...room.consultation, queue: room.consultation.queue ?? state.consultation?.queue }
    state.participants = room.participants
    state.former = room.former
    state.out = false
    state.online = room.presence.filter((p) => p.online).map((p) => p.userId)
    state.notes = merged(state.notes, notesOf(room.consultation))
    state.failure = undefined
    if (!state.joined) {
      this.firstSeq = room.events[0]?.seq
      state.hasOlder = (this.firstSeq ?? 1) > 1 + (room.since ?? 0)
      state.joined = true
    }
    const mine = room.participants.find((p) => p.userId === this.deps.me)
    this.receipts.known(mine?.deliveredUpTo ?? 0, Math.max(room.readUpTo, mine?.readUpTo ?? 0))
    this.receipts.flush()
    this.countUnread()
    this.deps.changed?.(state)
  }

  private apply(entry: Entry): void {
    const event = entry as RoomEvent
    switch (event.name) {
      case 'message:created':
        this.created(event.data)
        break
      case 'message:recalled':
        this.recall(event.data)
        break
      case 'message:read':
        this.receipt(event.data, 'readUpTo')
        break
      case 'message:delivered':
        this.receipt(event.data, 'deliveredUpTo')
        break
      case 'consultation:updated':
        this.consultationChanged(event)
        break
      case 'diagnosis:signed':
        this.documentChanged(event.data)
        break
      case 'prescription:updated':
        this.documentChanged(event.data)
        break
      case 'participant:joined':
        this.participantJoined(event.data)
        break
      case 'participant:left':
        this.participantLeft(event.data, event.at)
        break
    }
    for (const listener of this.listeners) listener(event)
    this.deps.changed?.(this.state, event)
  }

  private created(message: Message): void {
    const { messages } = this.state
    const recalled = this.recalled.get(message.id) ?? message
    const last = messages.at(-1)
    if (!last || message.seq > last.seq) messages.push(recalled)
    if (message.senderId === this.deps.me) {
      this.deps.outbox.seen(message)
    } else {
      this.typingWatch.stopped(message.senderId)
      this.receipts.hasDelivered(message.seq)
    }
    this.countUnread()
  }

  private recall(message: Message): void {
    this.recalled.set(message.id, message)
    const index = this.state.messages.findIndex((m) => m.id === message.id)
    if (index >= 0) this.state.messages[index] = message
  }

  private receipt({ userId, upToSeq }: Receipt, mark: 'readUpTo' | 'deliveredUpTo'): void {
    const participant = this.state.participants.find((p) => p.userId === userId)
    if (participant) participant[mark] = Math.max(participant[mark], upToSeq)
    if (userId !== this.deps.me) return
    this.receipts.known(upToSeq, mark === 'readUpTo' ? upToSeq : 0)
    this.countUnread()
  }

  private consultationChanged(event: RoomEvent & { name: 'consultation:updated' }): void {
    const { state } = this
    const before = state.consultation
    state.notes = merged(state.notes, noteOf(this.logged, event))
    this.logged = event.data
    // Joining answers with the newest state; the log behind it may be older.
    if (before && Date.parse(before.updatedAt) > Date.parse(event.data.updatedAt)) return
    state.consultation = { ...kept(before, event.data), queue: event.data.status === 'waiting' ? before?.queue : undefined }
  }

  /** A signed amendment takes the place of what it supersedes. */
  private documentChanged(document: Diagnosis | Prescription): void {
    const { documents } = this.state
    const before = document.supersedes ? documents[document.supersedes] : undefined
    if (before && document.supersedes) documents[document.supersedes] = { ...before, status: 'amended', supersededBy: document.id }
    documents[document.id] = document
  }

  private participantJoined(participant: Participant): void {
    this.state.participants = [...this.state.participants.filter((p) => p.userId !== participant.userId), participant]
  }

  /** An event of the log may be older than the participants from the answer of the join. */
  private participantLeft({ userId, reason }: Departure, at: string): void {
    const { state, deps } = this
    const gone = state.participants.find((p) => p.userId === userId)
    if (!gone || Date.parse(gone.joinedAt) > Date.parse(at)) return
    const { name, role, joinedAt } = gone
    state.participants = state.participants.filter((p) => p !== gone)
    state.former = [...state.former.filter((p) => p.userId !== userId), { userId, name, role, joinedAt, leftAt: at }]
    state.online = state.online.filter((id) => id !== userId)
    this.typingWatch.stopped(userId)
    if (userId === deps.me) state.out = reason
  }

  private countUnread(): void {
    const { state, deps } = this
    const read = state.participants.find((p) => p.userId === deps.me)?.readUpTo ?? 0
    state.unread = state.messages.filter((m) => m.seq > read && m.senderId !== deps.me && m.kind !== 'system').length
  }

  private clear(): void {
    this.recalled.clear()
    this.firstSeq = undefined
    this.logged = undefined
    Object.assign(this.state, { ...emptyState(this.state.id), unsent: this.state.unsent })
  }
}

function merged(notes: Note[], more: Note[]): Note[] {
  const known = new Set(notes.map((note) => note.id))
  const fresh = more.filter((note) => !known.has(note.id))
  if (fresh.length === 0) return notes
  return [...notes, ...fresh].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}
