import { onScopeDispose } from 'vue'
import { useAppointments } from '@/stores/appointments'

/** The appointments, live for as long as the component lives. */
export function useLiveAppointments() {
  const appointments = useAppointments()
  onScopeDispose(appointments.hold())
  void appointments.load()
  return appointments
}
