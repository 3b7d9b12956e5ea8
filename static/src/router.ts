import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import type { Role } from '@/api/wire.gen'
import { useSession } from '@/stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Who may see the page; everyone when left out. */
    for?: Role[]
    /** Key of the page's title. */
    title: string
    /** On a phone the page fills the screen; it brings its own header. */
    immersive?: boolean
  }
}

const everyone: Role[] = ['patient', 'doctor', 'admin']

const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', redirect: () => home(useSession().role) },
  { path: '/login', name: 'login', component: () => import('@/pages/LoginPage.vue'), meta: { title: 'title.login' } },
  { path: '/register', name: 'register', component: () => import('@/pages/RegisterPage.vue'), meta: { title: 'title.register' } },
  { path: '/login/finish', name: 'login-finish', component: () => import('@/pages/LoginFinishPage.vue'), meta: { title: 'identity.finishTitle' } },
  { path: '/password/forgot', name: 'password-forgot', component: () => import('@/pages/ForgotPasswordPage.vue'), meta: { title: 'identity.forgotTitle' } },
  { path: '/password/reset', name: 'password-reset', component: () => import('@/pages/ResetPasswordPage.vue'), meta: { title: 'identity.resetTitle' } },
  { path: '/email/verify', name: 'email-verify', component: () => import('@/pages/VerifyEmailPage.vue'), meta: { title: 'identity.verifyTitle' } },
  { path: '/doctors', name: 'doctors', component: () => import('@/pages/DoctorsPage.vue'), meta: { title: 'title.doctors' } },
  { path: '/doctors/:id', name: 'doctor', props: true, component: () => import('@/pages/DoctorPage.vue'), meta: { title: 'title.doctor' } },
  {
    path: '/doctors/:id/consult',
    name: 'consult',
    props: true,
    component: () => import('@/pages/NewConsultationPage.vue'),
    meta: { title: 'title.consult', for: ['patient'] },
  },
  { path: '/doctors/:id/book', name: 'book', props: true, component: () => import('@/pages/BookPage.vue'), meta: { title: 'book.title' } },
  {
    path: '/appointments',
    name: 'appointments',
    component: () => import('@/pages/AppointmentsPage.vue'),
    meta: { title: 'appointments.title', for: ['patient', 'doctor'] },
  },
  { path: '/orders', name: 'orders', component: () => import('@/billing/OrdersPage.vue'), meta: { title: 'billing.orders', for: ['patient'] } },
  { path: '/orders/:id', name: 'order', props: true, component: () => import('@/billing/OrderPage.vue'), meta: { title: 'billing.order', for: ['patient'] } },
  { path: '/sandbox/:reference', name: 'sandbox', props: true, component: () => import('@/billing/SandboxPage.vue'), meta: { title: 'billing.sandbox.title' } },
  { path: '/desk/income', name: 'income', component: () => import('@/billing/IncomePage.vue'), meta: { title: 'billing.income.title', for: ['doctor'] } },
  {
    path: '/consultations',
    name: 'consultations',
    component: () => import('@/pages/ConsultationsPage.vue'),
    meta: { title: 'title.consultations', for: ['patient', 'doctor'] },
  },
  {
    path: '/consultations/:id',
    name: 'consultation',
    props: true,
    component: () => import('@/pages/ConsultationPage.vue'),
    meta: { title: 'title.consultation', for: everyone, immersive: true },
  },
  { path: '/desk', name: 'desk', component: () => import('@/pages/DeskPage.vue'), meta: { title: 'title.desk', for: ['doctor'] } },
  { path: '/desk/profile', name: 'profile', component: () => import('@/pages/DoctorProfilePage.vue'), meta: { title: 'title.profile', for: ['doctor'] } },
  { path: '/desk/replies', name: 'replies', component: () => import('@/pages/QuickRepliesPage.vue'), meta: { title: 'title.replies', for: ['doctor'] } },
  { path: '/desk/schedule', name: 'schedule', component: () => import('@/pages/SchedulePage.vue'), meta: { title: 'calendar.title', for: ['doctor'] } },
  {
    path: '/consultations/:id/board',
    name: 'board',
    props: true,
    component: () => import('@/pages/BoardPage.vue'),
    meta: { title: 'board.title', for: everyone, immersive: true },
  },
  { path: '/devices', name: 'devices', component: () => import('@/pages/DevicesPage.vue'), meta: { title: 'devices.title', for: everyone } },
  {
    path: '/notifications',
    name: 'notifications',
    component: () => import('@/pages/NotificationsPage.vue'),
    meta: { title: 'notifications.title', for: everyone },
  },
  {
    path: '/notifications/settings',
    name: 'notification-settings',
    component: () => import('@/pages/NotificationSettingsPage.vue'),
    meta: { title: 'notifications.settings', for: everyone },
  },
  { path: '/records', name: 'records', component: () => import('@/pages/PatientRecordPage.vue'), meta: { title: 'record.title', for: ['patient'] } },
  {
    path: '/patients/:id',
    name: 'patientRecord',
    props: true,
    component: () => import('@/pages/PatientRecordPage.vue'),
    meta: { title: 'record.title', for: ['patient', 'doctor'] },
  },
  { path: '/reviews', name: 'reviews', component: () => import('@/pages/ReviewsPage.vue'), meta: { title: 'review.title', for: ['doctor', 'admin'] } },
  { path: '/verify/:kind/:id', name: 'verify', props: true, component: () => import('@/pages/VerifyPage.vue'), meta: { title: 'verify.title' } },
  { path: '/account', name: 'account', component: () => import('@/pages/AccountPage.vue'), meta: { title: 'title.account', for: everyone } },
  { path: '/admin/:section?', name: 'admin', props: true, component: () => import('@/pages/AdminPage.vue'), meta: { title: 'title.admin', for: ['admin'] } },
  { path: '/lobby', name: 'lobby', component: () => import('@/pages/LobbyPage.vue'), meta: { title: 'lobby.title' } },
  { path: '/docs', name: 'docs', component: () => import('@/pages/DocsPage.vue'), meta: { title: 'docs.title' } },
  { path: '/connection', name: 'connection', component: () => import('@/pages/ConnectionPage.vue'), meta: { title: 'connection.title' } },
  { path: '/:rest(.*)*', name: 'lost', component: () => import('@/pages/NotFoundPage.vue'), meta: { title: 'title.lost' } },
]

/** The page where someone of this role starts. */
export function home(role: Role | undefined): string {
  if (role === 'doctor') return '/desk'
  if (role === 'admin') return '/admin'
  return '/doctors'
}

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.beforeEach((to) => {
  const { role } = useSession()
  if ((to.name === 'login' || to.name === 'register') && role) return home(role)
  if (!to.meta.for) return true
  if (!role) return { name: 'login', query: { next: to.fullPath } }
  return to.meta.for.includes(role) || home(role)
})
