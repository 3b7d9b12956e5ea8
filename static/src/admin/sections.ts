import { defineAsyncComponent, type Component } from 'vue'

/** One section of the admin dashboard, at /admin/<name>. */
export interface Section {
  name: string
  /** Key of what it is called. */
  title: string
  page: Component
}

const section = (name: string, title: string, load: () => Promise<{ default: Component }>): Section => ({ name, title, page: defineAsyncComponent(load) })

/** The sections of the admin dashboard in the order of their tabs; the first is shown at /admin. */
export const sections: Section[] = [
  section('doctors', 'admin.doctors', () => import('@/components/AdminDoctors.vue')),
  section('users', 'admin.users', () => import('@/components/AdminUsers.vue')),
  section('holds', 'hold.tab', () => import('./HoldsSection.vue')),
  section('orders', 'billing.admin.orders', () => import('@/billing/AdminOrders.vue')),
  section('consultations', 'operations.tab.consultations', () => import('./ConsultationsPanel.vue')),
  section('live', 'operations.tab.live', () => import('./LivePanel.vue')),
  section('connections', 'operations.tab.connections', () => import('./ConnectionsPanel.vue')),
  section('health', 'operations.tab.health', () => import('./HealthPanel.vue')),
  section('settings', 'operations.tab.settings', () => import('./SettingsPanel.vue')),
  section('pharmacists', 'oversight.pharmacists', () => import('@/admin/PharmacistSection.vue')),
  section('glass', 'oversight.glass', () => import('@/admin/BreakGlassPanel.vue')),
  section('audit', 'oversight.audit', () => import('@/admin/AuditSection.vue')),
]
