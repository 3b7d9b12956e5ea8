import type { CancelTerms } from '@/schedule/appointment'
import { exclusiveAcrossTabs } from './exclusive'
import { askAsGuest, Http, type UploadOptions } from './http'
import { isTokenKey, TokenKeeper } from './tokens'
import type {
  ApplicantList,
  Attachment,
  Board,
  Consultation,
  Doctor,
  DoctorChange,
  DoctorFilter,
  DoctorList,
  Erasure,
  ChatFound,
  Login,
  LoginInput,
  MeInput,
  MessagePage,
  ConsultationOpened,
  OpenInput,
  ConsultationPage,
  Patient,
  PatientChange,
  PatientInput,
  PatientList,
  QuickReply,
  QuickReplyList,
  RegisterInput,
  Registration,
  AccountSelf,
  SessionList,
  Tokens,
  User,
  UserList,
} from './wire.gen'

/** The server's public configuration. */
export interface ServerConfig {
  version: string
  /** Ways to pay, in the order in which they are offered. */
  gateways?: string[]
  demo?: { role: string; name: string; email: string; password: string }[]
  limits: { textCharacters: number; attachmentBytes: number; voiceSeconds: number; voiceBytes: number }
  mail?: boolean
  providers?: { id: string; name: string }[]
  /** After how long an unused browser of a doctor or admin logs out; 0 is never. */
  idleMinutes?: number
  /** The refund for a patient who cancels an appointment. */
  cancellation?: CancelTerms
  /** How connections are kept. */
  realtime: { pingIntervalMs: number; pingTimeoutMs: number; reconnectDelayMs: number; reconnectDelayMaxMs: number }
  /** What browsers subscribe to pushes with. */
  pushKey: string
}

export const tokens = new TokenKeeper(localStorage, exclusiveAcrossTabs(), (refreshToken) =>
  askAsGuest<Tokens>('POST', '/auth/refresh', { body: { refreshToken } }),
)
window.addEventListener('storage', (e) => {
  if (isTokenKey(e.key)) tokens.syncFromStorage()
})

export const http = new Http(tokens)
export const at = (path: string, id: string) => `${path}/${encodeURIComponent(id)}`

export const api = {
  /** All data that the server has of the user, as a ZIP archive. */
  exportData: () => http.blob('/me/export'),
  erasure: () => http.json<Erasure>('GET', '/me/erasure'),
  erase: () => http.json<Erasure>('DELETE', '/me'),
  config: () => askAsGuest<ServerConfig>('GET', '/config'),

  register: (body: RegisterInput) => askAsGuest<Registration>('POST', '/auth/register', { body }),
  logIn: (body: LoginInput) => askAsGuest<Login>('POST', '/auth/login', { body }),
  logOut: (refreshToken: string) => askAsGuest<undefined>('POST', '/auth/logout', { body: { refreshToken } }),
  sessions: () => http.json<SessionList>('GET', '/auth/sessions'),
  revokeSession: (id: string) => http.json<undefined>('DELETE', at('/auth/sessions', id)),

  me: () => http.json<AccountSelf>('GET', '/me'),
  updateMe: (body: MeInput) => http.json<AccountSelf>('PATCH', '/me', { body }),
  patients: () => http.json<PatientList>('GET', '/me/patients'),
  addPatient: (body: PatientInput) => http.json<Patient>('POST', '/me/patients', { body }),
  updatePatient: ({ patientId, ...body }: PatientChange) => http.json<Patient>('PATCH', at('/me/patients', patientId), { body }),
  updateDoctor: (body: DoctorChange) => http.json<Doctor>('PATCH', '/me/doctor', { body }),
  quickReplies: () => http.json<QuickReplyList>('GET', '/me/quick-replies'),
  saveQuickReplies: (items: QuickReply[]) => http.json<QuickReplyList>('PUT', '/me/quick-replies', { body: { items } }),

  doctors: (filter: DoctorFilter, signal?: AbortSignal) => http.json<DoctorList>('GET', '/doctors', { query: { ...filter }, signal }),
  doctor: (id: string) => http.json<Doctor>('GET', at('/doctors', id)),

  openConsultation: (body: OpenInput) => http.json<ConsultationOpened>('POST', '/consultations', { body }),
  consultations: (query: { status?: string; cursor?: string; limit?: number }) => http.json<ConsultationPage>('GET', '/consultations', { query }),
  consultation: (id: string) => http.json<Consultation>('GET', at('/consultations', id)),
  messages: (id: string, query: { before?: number; limit?: number }) =>
    http.json<MessagePage>('GET', `${at('/consultations', id)}/messages`, { query }),
  search: (query: { q: string; consultationId?: string; cursor?: string }, signal?: AbortSignal) =>
    http.json<ChatFound>('GET', '/messages', { query, signal }),

  board: (id: string) => http.json<Board>('GET', `${at('/consultations', id)}/board`),
  upload: (id: string, file: File, options: UploadOptions) => http.upload<Attachment>(`${at('/consultations', id)}/attachments`, file, options),
  attachment: (id: string, signal?: AbortSignal) => http.blob(at('/attachments', id), signal),
  thumbnail: (id: string, signal?: AbortSignal) => http.blob(`${at('/attachments', id)}/thumbnail`, signal),

  admin: {
    doctors: (cursor?: string) => http.json<ApplicantList>('GET', '/admin/doctors', { query: { cursor, limit: 50 } }),
    /** Verifies what was looked at; it fails if that has changed since. */
    verifyDoctor: (id: string, revision: number) => http.json<Doctor>('POST', `${at('/admin/doctors', id)}/verify`, { body: { revision } }),
    unverifyDoctor: (id: string, reason: string) => http.json<Doctor>('POST', `${at('/admin/users', id)}/unverify`, { body: { reason } }),
    users: (query: { q?: string; cursor?: string }) => http.json<UserList>('GET', '/admin/users', { query: { ...query, limit: 50 } }),
    suspendUser: (id: string) => http.json<User>('POST', `${at('/admin/users', id)}/suspend`),
    resetSecondFactor: (id: string) => http.json<undefined>('POST', `${at('/admin/users', id)}/reset-second-factor`),
    unsuspendUser: (id: string) => http.json<User>('POST', `${at('/admin/users', id)}/unsuspend`),
  },
}
