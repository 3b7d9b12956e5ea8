import { defineStore } from 'pinia'
import { reactive } from 'vue'
import type { Invitation, ConsultationPart } from '@/api/wire.gen'
import { freshList } from './freshList'
import { useRealtime } from './realtime'

/** The invitations of the consultations that are looked at, for their patients and doctors. */
export const useInvitations = defineStore('invitations', () => {
  const byConsultation = reactive(new Map<string, Invitation[]>())
  const realtime = useRealtime()
  const list = freshList<Invitation>()

  const of = (consultationId: string): Invitation[] => byConsultation.get(consultationId) ?? []

  function put(invitation: Invitation): void {
    list.changed(invitation)
    show(invitation)
  }

  function show(invitation: Invitation): void {
    const before = of(invitation.consultationId)
    const at = before.findIndex((i) => i.id === invitation.id)
    byConsultation.set(invitation.consultationId, at < 0 ? [...before, invitation] : before.with(at, invitation))
  }

  async function load(consultationId: string): Promise<void> {
    const found = await list.load(realtime.ask('invitation:list', { consultationId }).then((answer) => answer.items))
    byConsultation.set(consultationId, [])
    found.filter((i) => i.consultationId === consultationId).forEach(show)
  }

  async function invite(consultationId: string, email: string, role: ConsultationPart, history: boolean): Promise<Invitation> {
    const { invitation } = await realtime.ask('consultation:invite', { consultationId, email, role, ...(history ? { history } : {}) })
    put(invitation)
    return invitation
  }

  async function answer({ consultationId, id }: Invitation, accept: boolean, history: boolean): Promise<void> {
    put(await realtime.ask('invitation:answer', { consultationId, invitationId: id, accept, ...(history ? { history } : {}) }))
  }

  async function withdraw({ consultationId, id }: Invitation): Promise<void> {
    put(await realtime.ask('invitation:withdraw', { consultationId, invitationId: id }))
  }

  return { of, put, load, invite, answer, withdraw }
})
