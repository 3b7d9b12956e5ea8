import { onScopeDispose } from 'vue'
import { useAppointments } from '@/stores/appointments'

/** The store of appointments, updated by events while the component is mounted. */
export function useLiveAppointments() {
  const appointments = useAppointments()
  onScopeDispose(appointments.hold())
  void appointments.load()
  return appointments
}
