import { at, http } from '.'
import type {
  Appointment,
  AppointmentFilter,
  AppointmentPage,
  BookInput,
  Booking,
  ExceptionAdded,
  ExceptionInput,
  SchedulePreview,
  Schedule,
  ScheduleInput,
  AccountSelf,
  Wait,
  WaitInput,
  WaitList,
} from './wire.gen'

const act = (id: string, what: string) => `${at('/appointments', id)}/${what}`

/** REST of schedules, appointments, waitlists and calendar feeds. */
export const scheduleApi = {
  schedule: () => http.json<Schedule>('GET', '/me/schedule'),
  /** Refused with `conflict` when there is a newer version than the one read. */
  saveSchedule: ({ version, ...body }: ScheduleInput) => http.json<Schedule>('PUT', '/me/schedule', { body, ifMatch: version }),
  previewException: (body: ExceptionInput) => http.json<SchedulePreview>('POST', '/me/schedule/exceptions/preview', { body }),
  addException: (body: ExceptionInput) => http.json<ExceptionAdded>('POST', '/me/schedule/exceptions', { body }),
  removeException: (id: string) => http.json<undefined>('DELETE', at('/me/schedule/exceptions', id)),

  book: (body: BookInput) => http.json<Booking>('POST', '/appointments', { body }),
  appointments: (query: AppointmentFilter) => http.json<AppointmentPage>('GET', '/appointments', { query: { ...query } }),
  appointment: (id: string) => http.json<Appointment>('GET', at('/appointments', id)),
  reschedule: (id: string, start: string) => http.json<Appointment>('POST', act(id, 'reschedule'), { body: { start } }),
  cancel: (id: string, reason?: string) => http.json<Appointment>('POST', act(id, 'cancel'), { body: { reason } }),
  checkIn: (id: string) => http.json<Appointment>('POST', act(id, 'check-in')),
  acceptOffer: (id: string) => http.json<Appointment>('POST', act(id, 'accept')),
  declineOffer: (id: string) => http.json<Appointment>('POST', act(id, 'decline')),

  waits: () => http.json<WaitList>('GET', '/waitlist'),
  joinWaitlist: (body: WaitInput) => http.json<Wait>('POST', '/waitlist', { body }),
  takeOffer: (id: string) => http.json<Booking>('POST', `${at('/waitlist', id)}/accept`),
  leaveWaitlist: (id: string) => http.json<Wait>('DELETE', at('/waitlist', id)),

  /** Gives the calendar feed a new address; the old one is dead from then on. */
  renewCalendar: () => http.json<AccountSelf>('POST', '/me/calendar'),
}
