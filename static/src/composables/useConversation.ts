import { computed, onScopeDispose } from 'vue'
import { Failure } from '@/api/failure'
import type { Attachment, Consultation, Message, SendInput } from '@/api/wire.gen'
import { counterparts } from '@/realtime/deliveryStatus'
import { useReauthentication } from './useReauthentication'
import { useConsultations } from '@/stores/consultations'
import { useRealtime } from '@/stores/realtime'
import { useSession } from '@/stores/session'

type Transition = 'accept' | 'decline' | 'cancel' | 'hold' | 'resume' | 'end' | 'terminate' | 'reopen'

/** One consultation's room for as long as the component lives, and what one can do in it. */
export function useConversation(id: string) {
  const realtime = useRealtime()
  const session = useSession()
  const { conversation, release } = realtime.hold(id)
  const visible = () => conversation.look(document.visibilityState === 'visible')
  visible()
  document.addEventListener('visibilitychange', visible)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', visible)
    conversation.look(false)
    release()
  })

  const { state } = conversation
  const me = session.user?.id ?? ''
  const iAmDoctor = computed(() => state.consultation?.doctorId === me)
  const iAmPatient = computed(() => state.consultation?.userId === me)
  const others = computed(() => counterparts(state.participants, me))
  const myself = computed(() => state.participants.find((p) => p.userId === me))
  const iAmInvited = computed(() => myself.value !== undefined && myself.value.role !== 'patient' && myself.value.role !== 'doctor')
  /** What the patient's people say counts as the patient's question. */
  const asks = computed(() => {
    const p = myself.value
    return iAmPatient.value || p?.role === 'relative' || (p?.role === 'interpreter' && p.invitedBy !== 'doctor')
  })
  /** A patient who came back has a few free questions, and may add to one until it is answered. */
  const askedAll = computed(() => {
    const c = state.consultation
    return asks.value && c?.status === 'active' && c.reopened && !c.turnOpen && c.turnsLeft === 0
  })
  const writable = computed(() => ['waiting', 'active', 'on_hold'].includes(state.consultation?.status ?? '') && !askedAll.value)

  const consultations = useConsultations()
  const { withReauthentication } = useReauthentication()
  async function move(transition: Transition, more: { reason?: string; summary?: string } = {}): Promise<Consultation> {
    const changed = await withReauthentication(() => realtime.ask(`consultation:${transition}`, { consultationId: id, ...more }))
    consultations.put(changed)
    return changed
  }

  function send(what: { kind: SendInput['kind']; text?: string; attachment?: Attachment; peaks?: number[]; replyTo?: string }): void {
    conversation.typing.stop()
    realtime.send({ consultationId: id, ...what })
  }

  const recall = (message: Message) => realtime.ask('message:recall', { consultationId: id, messageId: message.id })

  const nameOf = (userId: string) => [...state.participants, ...state.former].find((p) => p.userId === userId)?.name ?? ''
  const missing = computed(() => state.failure instanceof Failure && state.failure.code === 'not_found')

  return {
    conversation,
    state,
    me,
    iAmDoctor,
    iAmPatient,
    iAmInvited,
    others,
    writable,
    askedAll,
    missing,
    nameOf,
    move,
    send,
    recall,
    retry: realtime.retry,
    discard: realtime.discard,
  }
}

export type ConversationView = ReturnType<typeof useConversation>
