// Generated from the server's catalogue by `go generate ./server/spec`. Do not edit.

export interface AccountExported {
  userId: string
  at: string
}

export type AccountMethod = 'password' | 'passkey' | 'provider'

export interface AccountSecurity {
  password: boolean
  emailVerified: boolean
  totp: boolean
  recoveryCodes: number
  passkeys: Passkey[]
  identities: LinkedIdentity[]
}

export interface AccountSelf {
  user: User
  doctor?: Doctor
  calendarUrl: string
}

export interface Acknowledged {
  code: WarningCode
  severity: Severity
  items: number[]
  message: string
  messageZh: string
  source: string
  reason?: string
}

export interface Acknowledgement {
  code: WarningCode
  items: number[]
  message?: string
  reason: string
}

export interface Admission {
  invitation: Invitation
  participant?: Participant
}

export interface Allergy {
  substance: string
  reaction?: string
  severity?: string
}

export interface AmendDiagnosisInput {
  diagnosisId: string
  id?: string
  codes: string[]
  text?: string
  advice?: string
}

export interface AmendPrescriptionInput {
  prescriptionId: string
  id?: string
  items: RecordItem[]
  note?: string
}

export interface Applicant {
  id: string
  name: string
  title: string
  department: string
  bio: string
  languages: string[]
  services: DoctorService[]
  onDuty: boolean
  licence: string
  verified: boolean
  rejection?: string
  revision: number
  email: string
  emailVerified: boolean
  checked?: DoctorCredentials
}

export interface ApplicantFilter {
  limit?: number
  cursor?: string
}

export interface ApplicantList {
  items: Applicant[]
  nextCursor: string
}

export interface Appointment {
  id: string
  status: AppointmentStatus
  consultationId: string
  doctorId: string
  doctorName: string
  userId: string
  patientId: string
  patientName: string
  service: ServiceKind
  medium: Medium
  complaint: string
  start: string
  end: string
  timeZone: string
  price: number
  currency: string
  createdAt: string
  updatedAt: string
  reschedules: number
  sequence: number
  reason?: string
  endedBy?: ScheduleParty
  refundPercent: number
  offer?: ScheduleOffer
}

export interface AppointmentFilter {
  from?: string
  to?: string
  cursor?: string
  limit?: number
}

export interface AppointmentPage {
  items: Appointment[]
  nextCursor: string
}

export interface AppointmentRef {
  appointmentId: string
}

export type AppointmentStatus = 'held' | 'booked' | 'checked_in' | 'in_progress' | 'fulfilled' | 'hold_expired' | 'cancelled' | 'no_show' | 'reassign_pending'

export interface Attachment {
  id: string
  consultationId: string
  uploaderId: string
  kind: ChatKind
  name: string
  size: number
  contentType: string
  sha256: string
  width?: number
  height?: number
  durationMs?: number
  hasThumbnail: boolean
  createdAt: string
}

export interface AttachmentInput {
  attachmentId: string
}

export interface AuditVerdict {
  ok: boolean
  entries: number
  brokenAt?: number
  why?: string
  signedFrom?: number
}

export interface AuthInput {
  token: string
}

export interface BackgroundInput {
  patientId: string
  allergies: Allergy[]
  conditions: Condition[]
  medications: Medication[]
  version?: number
}

export interface BillingDifference {
  paymentId: string
  orderId: string
  gateway: string
  ours: string
  theirs: string
  madeGood: boolean
}

export type BillingPlay = 'pay' | 'fail' | 'delay' | 'twice' | 'repeat' | 'reorder' | 'late'

export interface BillingReport {
  day: string
  startedAt: string
  finishedAt: string
  checked: number
  differences: BillingDifference[]
}

export interface Board {
  strokes: Stroke[]
  attachmentId: string
  lastSeq: number
}

export interface BoardBackground {
  consultationId: string
  attachmentId: string
}

export interface BoardCleared {
  consultationId: string
  seq: number
}

export interface BoardRef {
  consultationId: string
}

export type BoardTool = 'pen' | 'eraser' | 'line' | 'arrow' | 'rectangle' | 'ellipse' | 'text'

export interface BoardUndone {
  consultationId: string
  strokeId: string
}

export interface BookInput {
  id?: string
  doctorId: string
  start: string
  medium: Medium
  service: ServiceKind
  patientId?: string
  complaint: string
  priorDiagnosis?: string
}

export interface Booking {
  appointment: Appointment
  consultation: Consultation
  order?: Order
}

export interface BreakGlassRecord {
  patient: Patient
  version: number
  allergies: Allergy[]
  conditions: Condition[]
  medications: Medication[]
  updatedAt?: string
  updatedBy?: string
  updatedById?: string
  updatedByRole?: Role
  history: Episode[]
  until: string
}

export interface BreakGlassView {
  consultation: Consultation
  participants: Participant[]
  events: Entry[]
  hasMore: boolean
  until: string
}

export interface CalendarInput {
  token: string
}

export interface Call {
  id: string
  consultationId: string
  callerId: string
  medium: Medium
  status: CallStatus
  members: Member[]
  createdAt: string
  answeredAt?: string
  endedAt?: string
  endedBy?: string
}

export interface CallAnswer {
  callId: string
  deviceId?: string
  move?: boolean
}

export interface CallAnswered {
  callId: string
  deviceId: string
}

export interface CallEnding {
  callId: string
  failed?: boolean
}

export interface CallFilter {
  consultationId?: string
}

export interface CallInvitation {
  consultationId: string
  medium: Medium
  callId?: string
  deviceId?: string
  to?: string[]
}

export interface CallInvited {
  call: Call
  iceServers: ICEServer[]
}

export interface CallList {
  items: Call[]
  nextCursor: string
}

export interface CallRef {
  callId: string
  deviceId?: string
}

export type CallStatus = 'ringing' | 'active' | 'ended' | 'declined' | 'missed' | 'busy' | 'failed'

export interface CallbackInput {
  provider: string
  state?: string
  code?: string
  iss?: string
  error?: string
  browser?: string
}

export interface CancelInput {
  appointmentId: string
  reason?: string
}

export interface Case {
  id: string
  status: ConsultationStatus
  service: ServiceKind
  medium: Medium
  userId: string
  patientId: string
  patientName: string
  createdAt: string
  updatedAt: string
  scheduledAt?: string
}

export interface CaseFilter {
  q?: string
  status?: ConsultationStatus
  cursor?: string
  limit?: number
}

export interface CasePage {
  items: Case[]
  nextCursor: string
}

export interface Charge {
  gateway: string
  transaction: string
  paymentId: string
  orderId: string
  amount: number
  currency: string
  at: string
  extra: boolean
}

export interface ChatFound {
  items: Message[]
  nextCursor: string
}

export type ChatKind = 'text' | 'image' | 'file' | 'audio' | 'system' | 'call' | 'diagnosis' | 'prescription'

export type CheckState = 'ok' | 'off' | 'failing'

export interface CheckedOut {
  order: Order
  paymentId: string
  redirectUrl?: string
  qrCode?: string
  clientSecret?: string
}

export interface CheckoutInput {
  orderId: string
  gateway: string
  id?: string
}

export interface CloseInput {
  consultationId: string
  reason: string
}

export interface ClosingSummary {
  id: string
  consultationId: string
  patientId: string
  patientName: string
  userId: string
  doctorId: string
  doctorName: string
  status: DocumentStatus
  version: number
  supersedes?: string
  supersededBy?: string
  createdAt: string
  updatedAt: string
  signature?: Signature
  integrity?: Integrity
  text: string
}

export type Code = 'invalid' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'closed' | 'payment_required' | 'rate_limited' | 'too_large' | 'unavailable' | 'internal'

export interface CodeList {
  items: Coding[]
  hasMore: boolean
}

export interface CodeQuery {
  q: string
  limit?: number
}

export interface Coding {
  code: string
  zh: string
  en: string
}

export interface CommitInput {
  consultationId: string
  id: string
  tool: BoardTool
  colour: string
  width: number
  points: number[]
  text?: string
}

export interface Condition {
  code?: string
  text: string
  since?: string
  active: boolean
}

export interface ConfirmInput {
  password?: string
  otp?: string
}

export interface Consultation {
  id: string
  status: ConsultationStatus
  service: ServiceKind
  medium: Medium
  doctorId: string
  doctorName: string
  userId: string
  patientId: string
  patientName: string
  complaint: string
  priorDiagnosis?: string
  price: number
  currency: string
  minutes: number
  createdAt: string
  updatedAt: string
  scheduledAt?: string
  queuedAt?: string
  acceptedAt?: string
  answeredAt?: string
  endedAt?: string
  dueAt?: string
  clockLeftMs?: number
  reason?: string
  endedBy?: string
  summary?: ConsultationSummary
  reopened: boolean
  turnsLeft: number
  turnOpen?: boolean
  doctorReview?: boolean
  refund?: Refund
  refundPercent?: number
  queue?: Queue
  lastSeq?: number
  readUpTo?: number
  unread?: number
}

export interface ConsultationFilter {
  status?: ConsultationStatus
  cursor?: string
  limit?: number
}

export interface ConsultationInput {
  consultationId: string
}

export interface ConsultationJoined {
  consultation: Consultation
  participants: Participant[]
  former: Former[]
  since?: number
  presence: Present[]
  events: Entry[]
  lastSeq: number
  hasMore: boolean
  readUpTo: number
}

export interface ConsultationOpened {
  consultation: Consultation
  order?: Order
}

export interface ConsultationPage {
  items: Consultation[]
  nextCursor: string
}

export type ConsultationPart = 'patient' | 'doctor' | 'second_doctor' | 'relative' | 'interpreter'

export interface ConsultationReceived {
  invitationId: string
  consultationId: string
  role: ConsultationPart
  byId: string
  byName: string
}

export type ConsultationStatus = 'pending_payment' | 'waiting' | 'active' | 'on_hold' | 'ended' | 'closed' | 'cancelled' | 'declined' | 'expired' | 'terminated'

export interface ConsultationSummary {
  text: string
  signedBy: string
  signedAt: string
  sha256: string
}

export interface DayInput {
  day: string
}

export interface Departure {
  userId: string
  reason: LeaveReason
}

export interface Diagnosis {
  id: string
  consultationId: string
  patientId: string
  patientName: string
  userId: string
  doctorId: string
  doctorName: string
  status: DocumentStatus
  version: number
  supersedes?: string
  supersededBy?: string
  createdAt: string
  updatedAt: string
  signature?: Signature
  integrity?: Integrity
  codes: Coding[]
  text?: string
  advice?: string
}

export interface DiagnosisDraft {
  consultationId: string
  id?: string
  codes: string[]
  text?: string
  advice?: string
}

export interface DiagnosisInput {
  codes: string[]
  text?: string
  advice?: string
}

export interface DiagnosisList {
  items: Diagnosis[]
  nextCursor: string
}

export interface DiagnosisRef {
  diagnosisId: string
}

export interface DiagnosisRevision {
  diagnosisId: string
  codes: string[]
  text?: string
  advice?: string
}

export interface Doctor {
  id: string
  name: string
  title: string
  department: string
  bio: string
  languages: string[]
  services: DoctorService[]
  onDuty: boolean
  licence: string
  verified: boolean
  rejection?: string
  revision: number
}

export interface DoctorChange {
  title?: string
  department?: string
  licence?: string
  bio?: string
  languages?: string[]
  services?: DoctorService[]
  onDuty?: boolean
}

export interface DoctorCredentials {
  name: string
  title: string
  department: string
  licence: string
}

export interface DoctorFilter {
  q?: string
  department?: string
  medium?: Medium
  limit?: number
  cursor?: string
}

export interface DoctorInput {
  doctorId: string
}

export interface DoctorList {
  items: Doctor[]
  nextCursor: string
}

export interface DoctorRef {
  doctorId: string
}

export interface DoctorReview {
  doctorId: string
  name: string
  verified: boolean
  reason?: string
}

export interface DoctorService {
  service: ServiceKind
  medium: Medium
  price: number
  currency: string
  minutes: number
}

export type DocumentKind = 'diagnosis' | 'prescription' | 'summary'

export type DocumentStatus = 'draft' | 'signed' | 'approved' | 'rejected' | 'void' | 'amended'

export interface Drug {
  id: string
  name: Name
  atc?: string
  strengths: string[]
  forms: string[]
  routes: string[]
  controlled?: string
  visit?: boolean
}

export interface DrugList {
  items: Drug[]
}

export interface DrugQuery {
  q: string
  limit?: number
}

export interface DrugWarning {
  code: WarningCode
  severity: Severity
  items: number[]
  message: string
  messageZh: string
  source: string
}

export interface EndInput {
  consultationId: string
  reason?: string
  summary?: string
}

export interface EnterInput {
  consultationId: string
  reason: string
  after?: number
}

export interface EnterLogInput {
  actorId?: string
  action?: string
  subject?: string
  patientId?: string
  q?: string
  from?: string
  to?: string
  cursor?: string
  limit?: number
  reason: string
}

export interface EnterRecordInput {
  patientId: string
  reason: string
}

export interface Entry {
  room: string
  seq: number
  id: string
  name: string
  at: string
  actorId: string
  data: unknown
}

export interface Episode {
  consultationId: string
  at: string
  status: ConsultationStatus
  service: ServiceKind
  medium: Medium
  doctorName: string
  complaint: string
  diagnoses: Diagnosis[]
  prescriptions: Prescription[]
  summaries: ClosingSummary[]
}

export interface Erasure {
  erased?: string
  obstacles: ErasureBlocker[]
  consultations: number
  messagesUntil?: string
  recordsUntil?: string
}

export type ErasureBlocker = 'consultations' | 'appointments' | 'money' | 'hold' | 'last_admin'

export interface EventPage {
  items: Entry[]
  lastSeq: number
  hasMore: boolean
}

export interface EventsInput {
  consultationId: string
  after?: number
  limit?: number
}

export interface ExceptionAdded {
  exception: ScheduleException
  affected: Appointment[]
}

export interface ExceptionInput {
  kind: ExceptionKind
  start: string
  end: string
  note?: string
  slotMinutes?: number
  capacity?: number
  media?: Medium[]
  substituteId?: string
}

export type ExceptionKind = 'time_off' | 'extra'

export interface ExceptionRef {
  exceptionId: string
}

export interface Expiry {
  expiresAt: string
}

export interface FinishInput {
  ticket: string
  otp?: string
  device?: string
  browser?: string
}

export interface ForgotInput {
  email: string
}

export interface Former {
  userId: string
  name: string
  role: ConsultationPart
  joinedAt: string
  leftAt: string
}

export interface Greeting {
  text: string
  nickname: string
  count: number
  lines: LobbyLine[]
}

export interface HealthCheck {
  name: string
  state: CheckState
  detail: string
  figures?: number[]
}

export interface HealthReport {
  node: string
  ready: boolean
  checks: HealthCheck[]
}

export interface HistoryInput {
  consultationId: string
  before?: number
  limit?: number
}

export interface ICECandidate {
  candidate: string
  sdpMid?: string
  sdpMLineIndex?: number
  usernameFragment?: string
}

export interface ICEServer {
  urls: string[]
  username?: string
  credential?: string
}

export interface ICEServers {
  iceServers: ICEServer[]
  ttl: number
}

export interface IdentityInput {
  identityId: string
}

export interface InConsultation {
  consultationId: string
}

export interface Inbox {
  items: Notification[]
  nextCursor: string
  hasMore: boolean
  unread: number
  lastSeq: number
}

export interface InboxInput {
  unread?: boolean
  cursor?: string
  limit?: number
  after?: number
}

export interface IncomeInput {
  from?: string
  to?: string
  cursor?: string
  limit?: number
}

export interface IncomeLine {
  orderId: string
  consultationId: string
  patientName: string
  service: ServiceKind
  medium: Medium
  status: OrderStatus
  paidAt: string
  currency: string
  amount: number
  returned: number
  fee: number
  net: number
}

export interface IncomePage {
  items: IncomeLine[]
  nextCursor: string
  totals: IncomeTotal[]
}

export interface IncomeSpan {
  from?: string
  to?: string
}

export interface IncomeTotal {
  currency: string
  count: number
  amount: number
  returned: number
  fee: number
  net: number
}

export type Integrity = 'intact' | 'altered' | 'unknown_key' | 'unconfirmed'

export interface Invitation {
  id: string
  consultationId: string
  status: InvitationStatus
  role: ConsultationPart
  invitee: string
  history: boolean
  byId: string
  byName: string
  byRole: ConsultationPart
  createdAt: string
  answeredAt?: string
}

export interface InvitationAnswer {
  consultationId: string
  invitationId: string
  accept: boolean
  history?: boolean
}

export interface InvitationList {
  items: Invitation[]
}

export interface InvitationRef {
  consultationId: string
  invitationId: string
}

export type InvitationStatus = 'proposed' | 'accepted' | 'entered' | 'declined' | 'withdrawn' | 'left'

export interface InviteInput {
  consultationId: string
  email?: string
  userId?: string
  role: ConsultationPart
  history?: boolean
}

export interface JoinInput {
  consultationId: string
  after?: number
}

export interface KindPreference {
  kind: NotificationKind
  push: boolean
  email: boolean
}

export type LeaveReason = 'reassigned' | 'removed' | 'quit' | 'unverified'

export interface LegalHold {
  userId: string
  userName: string
  userEmail: string
  reason: string
  by: string
  byName: string
  at: string
}

export interface LegalHoldInput {
  userId: string
  reason: string
}

export interface LegalHoldList {
  items: LegalHold[]
  nextCursor: string
}

export interface LinkedIdentity {
  id: string
  provider: string
  email: string
  linkedAt: string
}

export interface LobbyCount {
  count: number
}

export interface LobbyEntered {
  nickname: string
}

export interface LobbyLine {
  id: string
  nickname: string
  text: string
  at: string
}

export interface LogFilter {
  actorId?: string
  action?: string
  subject?: string
  patientId?: string
  q?: string
  from?: string
  to?: string
  cursor?: string
  limit?: number
}

export interface LogLine {
  num: number
  at: string
  actorId: string
  role: Role
  address?: string
  sessionId?: string
  action: string
  subject: string
  patientId?: string
  outcome?: string
  reason?: string
  detail?: string
  previous: string
  sha256: string
  actorName?: string
}

export interface LogPage {
  items: LogLine[]
  nextCursor: string
}

export interface Login {
  user: User
  accessToken: string
  refreshToken: string
  expiresIn: number
  device: string
}

export interface LoginInput {
  email: string
  password: string
  otp?: string
  device?: string
}

export interface LogoutRedirect {
  redirectUrl: string
}

export interface LogoutTokenInput {
  provider: string
  logout_token: string
}

export interface LookInput {
  consultationId: string
  looking: boolean
}

export interface MarkReadInput {
  upToId?: string
  ids?: string[]
}

export interface MarkSeenInput {
  ids: string[]
}

export interface MeInput {
  name?: string
  locale?: string
  timeZone?: string
}

export interface Medication {
  drug: string
  usage?: string
  since?: string
}

export type Medium = 'text' | 'voice' | 'video'

export interface Member {
  userId: string
  name: string
  role: ConsultationPart
  status: MemberStatus
  ringUntil?: string
  deviceId?: string
  joinedAt?: string
  leftAt?: string
}

export interface MemberState {
  callId: string
  userId: string
  microphone: boolean
  camera: boolean
  screen: boolean
}

export type MemberStatus = 'ringing' | 'joined' | 'declined' | 'missed' | 'busy' | 'left' | 'vanished'

export interface Message {
  id: string
  clientId: string
  consultationId: string
  seq: number
  senderId: string
  kind: ChatKind
  text?: string
  attachment?: Attachment
  peaks?: number[]
  replyTo?: string
  detail?: unknown
  createdAt: string
  recalledAt?: string
}

export interface MessageInput {
  consultationId: string
  messageId: string
}

export interface MessagePage {
  items: Message[]
  hasMore: boolean
}

export interface MyPermissions {
  pharmacist: boolean
  policy: RecordPolicy
}

export interface Name {
  zh: string
  en: string
}

export interface NamespaceStats {
  name: string
  sockets: number
  rooms: number
}

export interface NewPasskeyInput {
  ticket: string
  name: string
  credential: unknown
}

export interface NicknameInput {
  nickname?: string
}

export interface NodeStats {
  node: string
  version: string
  startedAt: string
  connections: number
  polling: number
  webSockets: number
  bare: number
  sockets: number
  rooms: number
  messagesPerSecond: number
  commandsPerSecond: number
  eventsInPerSecond: number
  eventsOutPerSecond: number
  bytesInPerSecond: number
  bytesOutPerSecond: number
  heapBytes: number
  processors: number
  goroutines: number
  namespaces: NamespaceStats[]
}

export type Nothing = Record<string, never>

export interface Notification {
  id: string
  kind: NotificationKind
  topic: NotificationTopic
  title: string
  text: string
  path: string
  consultationId?: string
  seq: number
  createdAt: string
  deliveredAt?: string
  seenAt?: string
  readAt?: string
}

export interface NotificationArrived {
  id: string
  kind: NotificationKind
  topic: NotificationTopic
  title: string
  text: string
  path: string
  consultationId?: string
  seq: number
  createdAt: string
  deliveredAt?: string
  seenAt?: string
  readAt?: string
  unread: number
}

export type NotificationKind = 'message' | 'consultation' | 'appointment' | 'call' | 'diagnosis' | 'prescription' | 'payment' | 'account'

export interface NotificationMarked {
  seq: number
  unread: number
  ids: string[]
}

export interface NotificationPreferences {
  kinds: KindPreference[]
  quietHours?: QuietHours
}

export type NotificationTopic = 'message' | 'message_voice' | 'consultation_requested' | 'consultation_accepted' | 'consultation_declined' | 'consultation_cancelled' | 'consultation_on_hold' | 'consultation_resumed' | 'consultation_ended' | 'consultation_terminated' | 'consultation_expired' | 'consultation_reopened' | 'consultation_invited' | 'consultation_proposed' | 'consultation_entered' | 'consultation_closed' | 'consultation_finished' | 'consultation_review' | 'consultation_left' | 'appointment_booked' | 'appointment_moved' | 'appointment_cancelled' | 'appointment_missed' | 'appointment_unpaid' | 'appointment_checked_in' | 'appointment_offered' | 'waitlist_offered' | 'waitlist_closed' | 'call_missed' | 'diagnosis_signed' | 'diagnosis_amended' | 'record_changed' | 'record_entered' | 'prescription_signed' | 'prescription_approved' | 'prescription_rejected' | 'prescription_void' | 'payment_received' | 'payment_expired' | 'payment_late' | 'payment_twice' | 'payment_refunded' | 'payment_refund_failed' | 'payment_given_back' | 'doctor_review_due' | 'doctor_verified' | 'doctor_unverified'

export interface OpenInput {
  id?: string
  doctorId: string
  service: ServiceKind
  medium: Medium
  patientId?: string
  complaint: string
  priorDiagnosis?: string
}

export interface Order {
  id: string
  status: OrderStatus
  consultationId: string
  userId: string
  doctorId: string
  doctorName: string
  patientName: string
  service: ServiceKind
  medium: Medium
  scheduledAt?: string
  amount: number
  currency: string
  paid: number
  refunded: number
  feeBasisPoints: number
  gateway?: string
  createdAt: string
  updatedAt: string
  expiresAt: string
  paidAt?: string
  refunds: OrderRefund[]
}

export interface OrderFilter {
  status?: OrderStatus
  q?: string
  cursor?: string
  limit?: number
}

export interface OrderHistory {
  order: Order
  payments: Payment[]
  charges: Charge[]
  refunds: RefundRecord[]
}

export interface OrderPage {
  items: Order[]
  nextCursor: string
}

export interface OrderRef {
  orderId: string
}

export interface OrderRefund {
  id: string
  amount: number
  reason: RefundReason
  status: RefundStatus
  createdAt: string
  updatedAt: string
}

export type OrderStatus = 'created' | 'failed' | 'paid' | 'refunding' | 'refunded' | 'partially_refunded' | 'closed'

export interface Participant {
  userId: string
  name: string
  role: ConsultationPart
  joinedAt: string
  deliveredUpTo: number
  readUpTo: number
  invitedBy?: ConsultationPart
  since?: number
}

export interface ParticipantRef {
  consultationId: string
  userId: string
}

export interface Passkey {
  id: string
  name: string
  createdAt: string
  lastUsedAt: string
}

export interface PasskeyChallenge {
  ticket: string
  options: unknown
}

export interface PasskeyInput {
  passkeyId: string
}

export interface PasskeyLoginInput {
  ticket: string
  credential: unknown
  device?: string
}

export interface PasswordInput {
  password: string
}

export interface Patient {
  id: string
  name: string
  birthDate?: string
  sex?: string
  relation: string
}

export interface PatientChange {
  patientId: string
  name?: string
  birthDate?: string
  sex?: string
  relation?: string
}

export interface PatientInput {
  name: string
  birthDate?: string
  sex?: string
  relation: string
}

export interface PatientList {
  items: Patient[]
  nextCursor: string
}

export interface PatientRecord {
  patient: Patient
  version: number
  allergies: Allergy[]
  conditions: Condition[]
  medications: Medication[]
  updatedAt?: string
  updatedBy?: string
  updatedById?: string
  updatedByRole?: Role
  history: Episode[]
}

export interface PatientRef {
  patientId: string
}

export interface Payment {
  id: string
  orderId: string
  gateway: string
  reference: string
  remote?: string
  status: PaymentStatus
  amount: number
  currency: string
  createdAt: string
  updatedAt: string
  expiresAt: string
}

export type PaymentState = 'unknown' | 'open' | 'paid' | 'failed' | 'closed'

export type PaymentStatus = 'open' | 'paid' | 'failed' | 'closed'

export interface PharmacistList {
  items: User[]
  nextCursor: string
}

export interface Prescription {
  id: string
  consultationId: string
  patientId: string
  patientName: string
  userId: string
  doctorId: string
  doctorName: string
  status: DocumentStatus
  version: number
  supersedes?: string
  supersededBy?: string
  createdAt: string
  updatedAt: string
  signature?: Signature
  integrity?: Integrity
  items: RecordItem[]
  note?: string
  acknowledged?: Acknowledged[]
  warned?: RecordWarning[]
  decisions: RecordDecision[]
  warnings?: DrugWarning[]
}

export interface PrescriptionCheck {
  consultationId: string
  items: RecordItem[]
  note?: string
}

export interface PrescriptionDraft {
  consultationId: string
  id?: string
  items: RecordItem[]
  note?: string
}

export interface PrescriptionInput {
  items: RecordItem[]
  note?: string
}

export interface PrescriptionList {
  items: Prescription[]
  nextCursor: string
}

export interface PrescriptionReason {
  prescriptionId: string
  reason: string
}

export interface PrescriptionRef {
  prescriptionId: string
}

export interface PrescriptionRevision {
  prescriptionId: string
  items: RecordItem[]
  note?: string
}

export interface PrescriptionWarnings {
  warnings: DrugWarning[]
}

export interface PresenceChange {
  consultationId: string
  userId: string
  online: boolean
  devices: number
}

export interface Present {
  userId: string
  online: boolean
  devices: number
}

export interface Printout {
  kind: DocumentKind
  signedAs: SignedAs
  timeZone: string
  diagnosis?: Diagnosis
  prescription?: Prescription
  summary?: ClosingSummary
  logBrokenAt?: string
}

export interface ProviderInput {
  provider: string
  next?: string
  browser?: string
}

export interface ProviderRedirect {
  redirectUrl: string
  browser?: string
}

export interface Queue {
  consultationId: string
  position: number
  estimateMinutes: number
}

export interface QueueFilter {
  cursor?: string
  limit?: number
}

export interface QuickReply {
  id: string
  text: string
}

export interface QuickReplyList {
  items: QuickReply[]
  nextCursor: string
}

export interface QuietHours {
  from: string
  to: string
  timeZone: string
}

export interface ReasonInput {
  consultationId: string
  reason?: string
}

export interface Receipt {
  consultationId: string
  userId: string
  upToSeq: number
}

export interface ReceiptInput {
  consultationId: string
  upToSeq: number
}

export interface RecordChange {
  patientId: string
  patientName: string
  version: number
  byId: string
  byName: string
}

export interface RecordDecision {
  status: DocumentStatus
  by: string
  byName: string
  at: string
  reason?: string
  sha256: string
  seal: string
  keyId?: string
}

export interface RecordEntry {
  patientId: string
  patientName: string
  byId: string
  reason: string
}

export type RecordFreq = 'qd' | 'bid' | 'tid' | 'qid' | 'qn' | 'q6h' | 'q8h' | 'q12h' | 'qod' | 'qw' | 'prn' | 'st'

export interface RecordItem {
  drug: string
  strength?: string
  dose: number
  doseUnit: string
  route: RecordRoute
  frequency: RecordFreq
  days: number
  quantity: number
  quantityUnit: string
  note?: string
}

export type RecordPolicy = 'china' | 'none'

export type RecordRoute = 'oral' | 'topical' | 'inhaled' | 'nasal' | 'eye' | 'ear' | 'rectal' | 'vaginal' | 'sublingual' | 'subcutaneous' | 'intramuscular' | 'intravenous'

export interface RecordTemplate {
  id: string
  name: string
  diagnosis?: DiagnosisInput
  prescription?: PrescriptionInput
}

export interface RecordWarning {
  item: number
  drug: string
  substance: string
  severity?: string
  reaction?: string
}

export interface RecoveryCodes {
  codes: string[]
}

export interface RefreshInput {
  refreshToken: string
}

export type Refund = '' | 'full' | 'partial'

export interface RefundInput {
  orderId: string
  id?: string
  amount?: number
  reason: string
}

export type RefundReason = 'cancelled' | 'declined' | 'expired' | 'unanswered' | 'terminated' | 'late_payment' | 'paid_twice' | 'goodwill'

export interface RefundRecord {
  id: string
  amount: number
  reason: RefundReason
  status: RefundStatus
  createdAt: string
  updatedAt: string
  gateway: string
  transaction: string
  remote?: string
  note?: string
  attempts: number
  lastError?: string
}

export type RefundStatus = 'pending' | 'succeeded' | 'failed'

export interface RegisterInput {
  role: Role
  name: string
  email: string
  password: string
  locale?: string
  timeZone?: string
}

export interface Registration {
  user?: User
  accessToken?: string
  refreshToken?: string
  expiresIn?: number
  device?: string
  confirm?: boolean
}

export interface ReportList {
  items: BillingReport[]
  nextCursor: string
}

export interface RescheduleInput {
  appointmentId: string
  start: string
}

export interface ResetAnswer {
  email: string
  device: string
}

export interface ResetInput {
  token: string
  password: string
}

export interface Ring {
  call: Call
  callerName: string
  ringUntil: string
}

export type Role = 'patient' | 'doctor' | 'admin'

export interface RoomFilter {
  q?: string
  limit?: number
}

export interface RoomList {
  node: string
  total: number
  items: RoomView[]
  private: RoomSum
}

export interface RoomSum {
  rooms: number
  members: number
}

export interface RoomView {
  room: string
  namespace: string
  members: number
}

export interface SandboxPayment {
  reference: string
  title: string
  amount: number
  currency: string
  state: PaymentState
  expiresAt: string
  returnUrl: string
}

export interface SandboxPlayInput {
  reference: string
  play: BillingPlay
}

export interface SandboxRef {
  reference: string
}

export interface SayInput {
  text: string
}

export interface Schedule {
  doctorId: string
  timeZone: string
  rules: ScheduleRule[]
  exceptions: ScheduleException[]
  version: number
}

export interface ScheduleException {
  id: string
  kind: ExceptionKind
  start: string
  end: string
  note?: string
  slotMinutes?: number
  capacity?: number
  media?: Medium[]
}

export interface ScheduleInput {
  timeZone: string
  rules: ScheduleRule[]
  version?: number
}

export interface ScheduleOffer {
  doctorId: string
  doctorName: string
  start: string
  end: string
  expiresAt: string
}

export type ScheduleParty = 'patient' | 'doctor' | 'system'

export interface SchedulePreview {
  affected: Appointment[]
}

export interface ScheduleRule {
  weekday: number
  start: string
  end: string
  slotMinutes: number
  capacity: number
  media: Medium[]
  validFrom?: string
  validUntil?: string
}

export interface SearchInput {
  q: string
  consultationId?: string
  cursor?: string
  limit?: number
}

export interface SendInput {
  consultationId: string
  clientId: string
  kind: ChatKind
  peaks?: number[]
  text?: string
  attachmentId?: string
  replyTo?: string
}

export interface ServersInput {
  callId?: string
}

export type ServiceKind = 'advice' | 'followup'

export interface Session {
  id: string
  createdAt: string
  lastUsedAt: string
  expiresAt: string
  userAgent: string
  address: string
  method: AccountMethod
  current: boolean
}

export interface SessionDescription {
  type: string
  sdp: string
}

export interface SessionInput {
  sessionId: string
}

export interface SessionList {
  items: Session[]
  nextCursor: string
}

export interface Setting {
  flag: string
  env: string
  value: string
  changed: boolean
  secret: boolean
  help: string
}

export interface SettingList {
  node: string
  items: Setting[]
}

export type Severity = 'stop' | 'warn' | 'info'

export interface SignPrescriptionInput {
  prescriptionId: string
  acknowledged?: Acknowledgement[]
  despiteAllergies?: boolean
}

export interface SignalInput {
  callId: string
  to: string
  deviceId?: string
  description?: SessionDescription
  candidate?: ICECandidate
}

export interface Signalling {
  callId: string
  from: string
  fromDevice: string
  toDevice: string
  description?: SessionDescription
  candidate?: ICECandidate
}

export interface Signature {
  signedBy: string
  signedAt: string
  sha256: string
  seal: string
  form: number
  keyId?: string
}

export interface SignedAs {
  patient: SignedPatient
  doctor: SignedDoctor
}

export interface SignedDoctor {
  name: string
  title?: string
  department?: string
}

export interface SignedPatient {
  name: string
  birthDate?: string
  sex?: string
}

export interface SketchInput {
  consultationId: string
  x: number
  y: number
  strokeId?: string
  tool?: BoardTool
  colour?: string
  width?: number
  from?: number
  points?: number[]
}

export interface Sketching {
  consultationId: string
  x: number
  y: number
  strokeId?: string
  tool?: BoardTool
  colour?: string
  width?: number
  from?: number
  points?: number[]
  userId: string
}

export interface Slot {
  start: string
  end: string
  available: number
  media: Medium[]
}

export interface SlotChange {
  doctorId: string
  start: string
  available: number
}

export interface SlotList {
  items: Slot[]
  nextCursor: string
  timeZone: string
}

export interface SlotsInput {
  doctorId: string
  from?: string
  to?: string
}

export interface SocketFilter {
  namespace?: string
  room?: string
  userId?: string
  limit?: number
}

export interface SocketList {
  node: string
  total: number
  items: SocketView[]
}

export interface SocketRef {
  socketId: string
}

export interface SocketView {
  id: string
  namespace: string
  transport: string
  address: string
  agent?: string
  connectedAt: string
  userId?: string
  name?: string
  role?: Role
  rooms: string[]
  private: number
}

export interface StateInput {
  callId: string
  deviceId?: string
  microphone: boolean
  camera: boolean
  screen: boolean
}

export interface StatsHistory {
  at: string
  node: string
  connections: number
  polling: number
  webSockets: number
  bare: number
  sockets: number
  rooms: number
  messagesPerSecond: number
  commandsPerSecond: number
  eventsInPerSecond: number
  eventsOutPerSecond: number
  bytesInPerSecond: number
  bytesOutPerSecond: number
  heapBytes: number
  processors: number
  goroutines: number
  nodes: NodeStats[]
  everyMs: number
  samples: StatsSample[]
}

export interface StatsReport {
  at: string
  node: string
  connections: number
  polling: number
  webSockets: number
  bare: number
  sockets: number
  rooms: number
  messagesPerSecond: number
  commandsPerSecond: number
  eventsInPerSecond: number
  eventsOutPerSecond: number
  bytesInPerSecond: number
  bytesOutPerSecond: number
  heapBytes: number
  processors: number
  goroutines: number
  nodes: NodeStats[]
}

export interface StatsSample {
  at: string
  connections: number
  polling: number
  webSockets: number
  bare: number
  sockets: number
  rooms: number
  messagesPerSecond: number
  commandsPerSecond: number
  eventsInPerSecond: number
  eventsOutPerSecond: number
  bytesInPerSecond: number
  bytesOutPerSecond: number
  heapBytes: number
  processors: number
  goroutines: number
}

export interface StatusCount {
  status: ConsultationStatus
  count: number
}

export interface StatusCounts {
  items: StatusCount[]
}

export interface Stroke {
  id: string
  authorId: string
  seq: number
  tool: BoardTool
  colour: string
  width: number
  points: number[]
  text?: string
  createdAt: string
}

export interface SubscribeInput {
  endpoint: string
  keys: SubscriptionKeys
}

export interface Subscription {
  id: string
  createdAt: string
}

export interface SubscriptionInput {
  subscriptionId: string
}

export interface SubscriptionKeys {
  p256dh: string
  auth: string
}

export interface TOTPInput {
  otp: string
}

export interface TOTPSetup {
  secret: string
  uri: string
  qr: string
}

export interface TemplateList {
  items: RecordTemplate[]
  nextCursor: string
}

export interface Tokens {
  accessToken: string
  refreshToken: string
  expiresIn: number
}

export interface TreatedList {
  items: Patient[]
  nextCursor: string
}

export interface Typing {
  consultationId: string
  userId: string
}

export interface TypingInput {
  consultationId: string
}

export interface UnverifyDoctorInput {
  userId: string
  reason: string
}

export interface UploadInput {
  consultationId: string
}

export interface User {
  id: string
  role: Role
  name: string
  email: string
  emailVerified: boolean
  locale: string
  timeZone: string
  createdAt: string
  suspended: boolean
  erased?: boolean
}

export interface UserFilter {
  q?: string
  role?: Role
  limit?: number
  cursor?: string
}

export interface UserInput {
  userId: string
}

export interface UserList {
  items: User[]
  nextCursor: string
}

export interface UserRef {
  userId: string
  reason?: string
}

export interface Verification {
  matches: boolean
  intact: boolean
  integrity?: Integrity
  current: boolean
  status?: DocumentStatus
  version?: number
  doctorName?: string
  patientName?: string
  signedAt?: string
  publicKey?: string
  keyId?: string
  seal?: string
  logBrokenAt?: string
}

export interface VerifyDoctorInput {
  doctorId: string
  revision?: number
}

export interface VerifyEmailInput {
  token: string
  password?: string
}

export interface VerifyInput {
  kind: DocumentKind
  id: string
  sha256: string
}

export interface Wait {
  id: string
  status: WaitStatus
  doctorId: string
  userId: string
  patientId?: string
  service: ServiceKind
  medium: Medium
  complaint: string
  priorDiagnosis?: string
  from: string
  to: string
  createdAt: string
  offer?: ScheduleOffer
}

export interface WaitInput {
  doctorId: string
  from: string
  to: string
  medium: Medium
  service: ServiceKind
  patientId?: string
  complaint: string
  priorDiagnosis?: string
}

export interface WaitList {
  items: Wait[]
  nextCursor: string
}

export interface WaitRef {
  waitId: string
}

export type WaitStatus = 'waiting' | 'offered' | 'taken' | 'left' | 'closed'

export type WarningCode = 'allergy' | 'duplicate' | 'interaction' | 'dose_high' | 'dose_low' | 'dose_unknown' | 'age' | 'pregnancy' | 'controlled' | 'route' | 'unknown_drug'

export interface WireError {
  code: Code
  field?: string
  message: string
  retryable: boolean
  retryAfterMs?: number
  traceId?: string
  status?: string
  warnings?: unknown
}

/** What every command is answered with. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: WireError }

/** An event of a room's log; data is the whole thing after the change. */
export interface LogEvent<Name extends string, Data> {
  room: string
  seq: number
  id: string
  name: Name
  at: string
  actorId: string
  data: Data
}

/** Every event that a consultation's log can hold. */
export type AnyLogEvent =
  | LogEvent<'session:opened', Session>
  | LogEvent<'doctor:review-due', DoctorReview>
  | LogEvent<'doctor:reviewed', DoctorReview>
  | LogEvent<'order:updated', Order>
  | LogEvent<'board:committed', Stroke>
  | LogEvent<'board:undone', BoardUndone>
  | LogEvent<'board:cleared', BoardCleared>
  | LogEvent<'board:background-changed', BoardBackground>
  | LogEvent<'call:updated', Call>
  | LogEvent<'message:created', Message>
  | LogEvent<'message:recalled', Message>
  | LogEvent<'message:read', Receipt>
  | LogEvent<'message:delivered', Receipt>
  | LogEvent<'consultation:updated', Consultation>
  | LogEvent<'participant:joined', Participant>
  | LogEvent<'participant:left', Departure>
  | LogEvent<'invitation:updated', Invitation>
  | LogEvent<'invitation:received', ConsultationReceived>
  | LogEvent<'notification:created', NotificationArrived>
  | LogEvent<'notification:read', NotificationMarked>
  | LogEvent<'diagnosis:signed', Diagnosis>
  | LogEvent<'prescription:updated', Prescription>
  | LogEvent<'record:entered', RecordEntry>
  | LogEvent<'record:updated', RecordChange>
  | LogEvent<'appointment:updated', Appointment>
  | LogEvent<'waitlist:updated', Wait>

/** The names of all events. */
export const durableNames: AnyLogEvent['name'][] = [
  'session:opened',
  'doctor:review-due',
  'doctor:reviewed',
  'order:updated',
  'board:committed',
  'board:undone',
  'board:cleared',
  'board:background-changed',
  'call:updated',
  'message:created',
  'message:recalled',
  'message:read',
  'message:delivered',
  'consultation:updated',
  'participant:joined',
  'participant:left',
  'invitation:updated',
  'invitation:received',
  'notification:created',
  'notification:read',
  'diagnosis:signed',
  'prescription:updated',
  'record:entered',
  'record:updated',
  'appointment:updated',
  'waitlist:updated',
]

/** Commands on /consultations. */
export interface ClientToServerEvents {
  /** Subscribe to a consultation; the answer has the events missed since the given seq. */
  'consultation:join': (input: JoinInput, ack: (reply: Ack<ConsultationJoined>) => void) => void
  /** Unsubscribe this connection from a consultation. */
  'consultation:leave': (input: ConsultationInput, ack: (reply: Ack<Nothing>) => void) => void
  /** Report whether the page of a joined consultation is visible; it counts as visible at first. Users are not notified of what a visible page shows. */
  'consultation:look': (input: LookInput, ack: (reply: Ack<Nothing>) => void) => void
  /** Accept a consultation; its time starts. For the doctor. */
  'consultation:accept': (input: ConsultationInput, ack: (reply: Ack<Consultation>) => void) => void
  /** Decline a consultation, with a reason. For the doctor. */
  'consultation:decline': (input: ReasonInput, ack: (reply: Ack<Consultation>) => void) => void
  /** Withdraw while waiting. For the patient. */
  'consultation:cancel': (input: ReasonInput, ack: (reply: Ack<Consultation>) => void) => void
  /** Pause a consultation, for at most 7 days, to wait for test results. For the doctor. */
  'consultation:hold': (input: ReasonInput, ack: (reply: Ack<Consultation>) => void) => void
  /** Resume a paused consultation. For the doctor. */
  'consultation:resume': (input: ConsultationInput, ack: (reply: Ack<Consultation>) => void) => void
  /** End a consultation. By the doctor: a follow-up requires a signed summary. By the patient: with a full refund if the doctor has not answered or is under review, otherwise with none. */
  'consultation:end': (input: EndInput, ack: (reply: Ack<Consultation>) => void) => void
  /** Refer the patient to a visit in person; the reason is the referral note. For the doctor. */
  'consultation:terminate': (input: ReasonInput, ack: (reply: Ack<Consultation>) => void) => void
  /** Start free follow-up questions, once, within 72 hours. For the patient. */
  'consultation:reopen': (input: ConsultationInput, ack: (reply: Ack<Consultation>) => void) => void
  /** Invite another person: a second doctor, a relative, an interpreter. The patient's invitation takes effect immediately; the doctor's is a proposal that the patient answers. By address the answer is the same whether or not anyone has that address. */
  'consultation:invite': (input: InviteInput, ack: (reply: Ack<Admission>) => void) => void
  /** Accept or decline a person whom the doctor proposes to invite; may share the earlier history. For the patient. */
  'invitation:answer': (input: InvitationAnswer, ack: (reply: Ack<Invitation>) => void) => void
  /** Revoke an invitation of a person who has not entered yet. For patient and doctor. */
  'invitation:withdraw': (input: InvitationRef, ack: (reply: Ack<Invitation>) => void) => void
  /** List the invitations of a consultation, oldest first. For patient and doctor. */
  'invitation:list': (input: ConsultationInput, ack: (reply: Ack<InvitationList>) => void) => void
  /** Remove an invited person, who receives and reads nothing of the consultation from then on. For patient and doctor. */
  'participant:remove': (input: ParticipantRef, ack: (reply: Ack<Nothing>) => void) => void
  /** Leave a consultation that the caller was invited to. (consultation:leave only unsubscribes one connection.) */
  'consultation:quit': (input: ConsultationInput, ack: (reply: Ack<Nothing>) => void) => void
  /** Send a message in a consultation. Sending the same clientId and content again returns the first result. */
  'message:send': (input: SendInput, ack: (reply: Ack<Message>) => void) => void
  /** Recall a message of the caller within 2 minutes. */
  'message:recall': (input: MessageInput, ack: (reply: Ack<Message>) => void) => void
  /** Mark messages as read up to a seq; the watermark only grows. */
  'message:read': (input: ReceiptInput, ack: (reply: Ack<Receipt>) => void) => void
  /** Mark messages as delivered up to a seq; the watermark only grows. */
  'message:receive': (input: ReceiptInput, ack: (reply: Ack<Receipt>) => void) => void
  /** Report that the caller is typing; valid for 6 seconds. */
  'typing:start': (input: TypingInput, ack: (reply: Ack<Nothing>) => void) => void
  /** Report that the caller has stopped typing. */
  'typing:stop': (input: TypingInput, ack: (reply: Ack<Nothing>) => void) => void
  /** Start a call and ring the other participants. Patients and the people whom they have invited start the calls that the consultation includes: voice and video in a video consultation, voice in a voice consultation. If a call is live already, it is returned, and those named in `to` are rung. */
  'call:invite': (input: CallInvitation, ack: (reply: Ack<CallInvited>) => void) => void
  /** Answer, join a running call, or move the caller's call to this device. Refused once the call is over. */
  'call:accept': (input: CallAnswer, ack: (reply: Ack<Call>) => void) => void
  /** Decline; the user's other devices stop ringing. */
  'call:decline': (input: CallRef, ack: (reply: Ack<Call>) => void) => void
  /** Leave the call; it ends when one member is left. */
  'call:leave': (input: CallRef, ack: (reply: Ack<Call>) => void) => void
  /** End the call for everyone: caller, patient or doctor. */
  'call:end': (input: CallEnding, ack: (reply: Ack<Call>) => void) => void
  /** Send a session description or an ICE candidate to another member of the call. */
  'call:signal': (input: SignalInput, ack: (reply: Ack<Nothing>) => void) => void
  /** Report the state of the caller's microphone, camera and screen. Repeat it every 10 seconds; a member is removed after 45 seconds of silence. */
  'call:state': (input: StateInput, ack: (reply: Ack<Nothing>) => void) => void
  /** List the live calls of the user's consultations, ringing and running, for a device that has just connected. */
  'call:list': (input: CallFilter, ack: (reply: Ack<CallList>) => void) => void
  /** List STUN and TURN servers for a live call that the caller is in or is rung for. The credentials are short-lived and end with the call and the session. Without a call, for testing devices, only STUN servers. */
  'call:servers': (input: ServersInput, ack: (reply: Ack<ICEServers>) => void) => void
  /** Read the whiteboard as of a seq of the room; later events change it. */
  'board:read': (input: BoardRef, ack: (reply: Ack<Board>) => void) => void
  /** Add a finished stroke to the board. Sending the same id and drawing again returns the first result. */
  'board:commit': (input: CommitInput, ack: (reply: Ack<Stroke>) => void) => void
  /** Remove the caller's latest stroke from the board. */
  'board:undo': (input: BoardRef, ack: (reply: Ack<BoardUndone>) => void) => void
  /** Remove all strokes from the board; the background stays. */
  'board:clear': (input: BoardRef, ack: (reply: Ack<BoardCleared>) => void) => void
  /** Set or remove the background of the board, a picture of the consultation. */
  'board:background': (input: BoardBackground, ack: (reply: Ack<BoardBackground>) => void) => void
  /** Show the other participants the caller's pointer and unfinished stroke. It is not stored. */
  'board:stroke': (input: SketchInput, ack: (reply: Ack<Nothing>) => void) => void
  /** Renew the login of this socket. */
  'auth:refresh': (input: AuthInput, ack: (reply: Ack<Expiry>) => void) => void
}

/** What /consultations tells. */
export interface ServerToClientEvents {
  /** The account was logged in to on a new device. */
  'session:opened': (event: LogEvent<'session:opened', Session>) => void
  /** A doctor registered or changed verified data; an admin must review it. */
  'doctor:review-due': (event: LogEvent<'doctor:review-due', DoctorReview>) => void
  /** An admin verified or rejected a doctor, or withdrew the verification. */
  'doctor:reviewed': (event: LogEvent<'doctor:reviewed', DoctorReview>) => void
  /** An order of the user changed; data is the whole order. */
  'order:updated': (event: LogEvent<'order:updated', Order>) => void
  /** A participant added a stroke. */
  'board:committed': (event: LogEvent<'board:committed', Stroke>) => void
  /** A participant removed their latest stroke. */
  'board:undone': (event: LogEvent<'board:undone', BoardUndone>) => void
  /** A participant cleared the board: strokes with a smaller seq are removed. */
  'board:cleared': (event: LogEvent<'board:cleared', BoardCleared>) => void
  /** The background was set or removed. */
  'board:background-changed': (event: LogEvent<'board:background-changed', BoardBackground>) => void
  /** A call began, changed or ended; data is the whole call. Sent to the devices of all participants. */
  'call:updated': (event: LogEvent<'call:updated', Call>) => void
  /** A message was sent. */
  'message:created': (event: LogEvent<'message:created', Message>) => void
  /** A message was recalled; data is what remains of it. */
  'message:recalled': (event: LogEvent<'message:recalled', Message>) => void
  /** A participant has read the messages up to a seq. */
  'message:read': (event: LogEvent<'message:read', Receipt>) => void
  /** Messages up to a seq have arrived on a device of a participant. */
  'message:delivered': (event: LogEvent<'message:delivered', Receipt>) => void
  /** The consultation changed; data is the whole of it, without complaint and earlier diagnosis, which consultation:read has, and with reason and summary where they are new. The first of a room has the complaint. */
  'consultation:updated': (event: LogEvent<'consultation:updated', Consultation>) => void
  /** A user became a participant of the consultation, or has another role in it. */
  'participant:joined': (event: LogEvent<'participant:joined', Participant>) => void
  /** A user is no longer a participant. It is the last event of the room that the user's devices receive. */
  'participant:left': (event: LogEvent<'participant:left', Departure>) => void
  /** An invitation was created, answered, used or revoked. Sent to the patient and the doctor of the consultation. */
  'invitation:updated': (event: LogEvent<'invitation:updated', Invitation>) => void
  /** The user was invited by address into a consultation and may enter it. */
  'invitation:received': (event: LogEvent<'invitation:received', ConsultationReceived>) => void
  /** A notification arrived; it is included in unread. */
  'notification:created': (event: LogEvent<'notification:created', NotificationArrived>) => void
  /** Notifications were read, on this or another device. */
  'notification:read': (event: LogEvent<'notification:read', NotificationMarked>) => void
  /** A doctor signed a diagnosis or an amendment. */
  'diagnosis:signed': (event: LogEvent<'diagnosis:signed', Diagnosis>) => void
  /** A prescription was signed, or decided about. Where someone was invited after it had been signed, the event of a decision has no items; prescription:read has them. */
  'prescription:updated': (event: LogEvent<'prescription:updated', Prescription>) => void
  /** An admin read a patient's record by break-glass; data has the reason. Sent to the user who cares for the patient. */
  'record:entered': (event: LogEvent<'record:entered', RecordEntry>) => void
  /** A patient's record has a new version. Sent to the user who cares for the patient. */
  'record:updated': (event: LogEvent<'record:updated', RecordChange>) => void
  /** The appointment changed; data is the whole appointment. */
  'appointment:updated': (event: LogEvent<'appointment:updated', Appointment>) => void
  /** The user's place on a waitlist changed: a slot may be offered. */
  'waitlist:updated': (event: LogEvent<'waitlist:updated', Wait>) => void
  /** This session has ended. */
  'session:revoked': (data: SessionInput) => void
  /** A participant's pointer and unfinished stroke. */
  'board:stroke': (data: Sketching) => void
  /** A call is ringing. */
  'call:ringing': (data: Ring) => void
  /** Another device of the user has answered or declined: the others stop ringing. */
  'call:answered-elsewhere': (data: CallAnswered) => void
  /** A session description or an ICE candidate from another member. */
  'call:signal': (data: Signalling) => void
  /** The state of a member's microphone, camera and screen. */
  'call:state': (data: MemberState) => void
  /** A participant is typing; valid for 6 seconds. */
  'typing:started': (data: Typing) => void
  /** A participant has stopped typing. */
  'typing:stopped': (data: Typing) => void
  /** The patient's place in the doctor's queue. */
  'queue:updated': (data: Queue) => void
  /** A participant connected or disconnected. */
  'presence:updated': (data: PresenceChange) => void
  /** A command sent without an acknowledgement has failed. */
  error: (error: WireError) => void
}

/** Commands on /schedules. */
export interface SchedulesClientToServerEvents {
  /** Subscribe to a doctor's schedule; the answer is its current state. */
  'schedule:watch': (input: SlotsInput, ack: (reply: Ack<SlotList>) => void) => void
  /** Unsubscribe from a doctor's schedule. */
  'schedule:unwatch': (input: DoctorRef, ack: (reply: Ack<Nothing>) => void) => void
  /** Book a slot. Sending the same id and content again returns the first result. */
  'appointment:book': (input: BookInput, ack: (reply: Ack<Booking>) => void) => void
  /** Renew the login of this socket. */
  'auth:refresh': (input: AuthInput, ack: (reply: Ack<Expiry>) => void) => void
}

/** What /schedules tells. */
export interface SchedulesServerToClientEvents {
  /** The appointment changed; data is the whole appointment. */
  'appointment:updated': (event: LogEvent<'appointment:updated', Appointment>) => void
  /** The user's place on a waitlist changed: a slot may be offered. */
  'waitlist:updated': (event: LogEvent<'waitlist:updated', Wait>) => void
  /** This session has ended. */
  'session:revoked': (data: SessionInput) => void
  /** A slot was taken or became free. */
  'slot:updated': (data: SlotChange) => void
  /** A doctor's rules or exceptions changed: fetch the slots again. */
  'schedule:updated': (data: DoctorRef) => void
  /** A command sent without an acknowledgement has failed. */
  error: (error: WireError) => void
}

/** Commands on /notifications. */
export interface NotificationsClientToServerEvents {
  /** List the caller's notifications, latest first; with `after`, those after a seq, oldest first. */
  'notification:list': (input: InboxInput, ack: (reply: Ack<Inbox>) => void) => void
  /** Mark notifications as read: those listed, or all up to one. */
  'notification:read': (input: MarkReadInput, ack: (reply: Ack<NotificationMarked>) => void) => void
  /** Report that a visible page has shown these notifications; they are not pushed any more. */
  'notification:see': (input: MarkSeenInput, ack: (reply: Ack<Nothing>) => void) => void
  /** Renew the login of this socket. */
  'auth:refresh': (input: AuthInput, ack: (reply: Ack<Expiry>) => void) => void
}

/** What /notifications tells. */
export interface NotificationsServerToClientEvents {
  /** A notification arrived; it is included in unread. */
  'notification:created': (event: LogEvent<'notification:created', NotificationArrived>) => void
  /** Notifications were read, on this or another device. */
  'notification:read': (event: LogEvent<'notification:read', NotificationMarked>) => void
  /** This session has ended. */
  'session:revoked': (data: SessionInput) => void
  /** A command sent without an acknowledgement has failed. */
  error: (error: WireError) => void
}

/** Commands on /lobby. */
export interface LobbyClientToServerEvents {
  /** Enter the lobby. Connecting to /lobby does this, with the handshake's auth as input. Entering twice changes nothing. */
  'lobby:enter': (input: NicknameInput, ack: (reply: Ack<LobbyEntered>) => void) => void
  /** Send a line of at most 500 characters to everyone in the lobby. */
  'lobby:say': (input: SayInput, ack: (reply: Ack<LobbyLine>) => void) => void
  /** Change the nickname. */
  'lobby:rename': (input: NicknameInput, ack: (reply: Ack<LobbyEntered>) => void) => void
  /** Renew the login of this socket. */
  'auth:refresh': (input: AuthInput, ack: (reply: Ack<Expiry>) => void) => void
}

/** What /lobby tells. */
export interface LobbyServerToClientEvents {
  /** This session has ended. */
  'session:revoked': (data: SessionInput) => void
  /** You entered the lobby: the welcome line, your nickname, who is present, and the latest lines. */
  'lobby:welcome': (data: Greeting) => void
  /** A line was sent to the lobby. */
  'lobby:said': (data: LobbyLine) => void
  /** The number of people in the lobby changed; sent at most four times a second. */
  'lobby:presence': (data: LobbyCount) => void
  /** A command sent without an acknowledgement has failed. */
  error: (error: WireError) => void
}

/** Commands on /admin. */
export interface AdminClientToServerEvents {
  /** Subscribe to stats:updated. Connecting to /admin does this. The answer has the measurements of the last minutes. */
  'stats:watch': (input: Nothing, ack: (reply: Ack<StatsHistory>) => void) => void
  /** List the sockets of the node that answers, latest first. The list does not show who consults whom. */
  'socket:list': (input: SocketFilter, ack: (reply: Ack<SocketList>) => void) => void
  /** List the rooms with subscribers on the node that answers, largest first; rooms of consultations are only counted. */
  'room:list': (input: RoomFilter, ack: (reply: Ack<RoomList>) => void) => void
  /** Close the connection of a socket on any node. Its client does not reconnect by itself. Entered in the audit log. */
  'socket:disconnect': (input: SocketRef, ack: (reply: Ack<Nothing>) => void) => void
  /** Close all connections of a user on all nodes. The user may connect again; user:suspend prevents it. Entered in the audit log. */
  'user:disconnect': (input: UserRef, ack: (reply: Ack<Nothing>) => void) => void
  /** Renew the login of this socket. */
  'auth:refresh': (input: AuthInput, ack: (reply: Ack<Expiry>) => void) => void
}

/** What /admin tells. */
export interface AdminServerToClientEvents {
  /** This session has ended. */
  'session:revoked': (data: SessionInput) => void
  /** Measurements of the server, sent every two seconds. */
  'stats:updated': (data: StatsReport) => void
  /** A command sent without an acknowledgement has failed. */
  error: (error: WireError) => void
}

/** All namespaces. */
export interface Namespaces {
  '/consultations': { commands: ClientToServerEvents; events: ServerToClientEvents }
  '/schedules': { commands: SchedulesClientToServerEvents; events: SchedulesServerToClientEvents }
  '/notifications': { commands: NotificationsClientToServerEvents; events: NotificationsServerToClientEvents }
  '/lobby': { commands: LobbyClientToServerEvents; events: LobbyServerToClientEvents }
  '/admin': { commands: AdminClientToServerEvents; events: AdminServerToClientEvents }
}
