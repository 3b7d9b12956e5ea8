import { at, http } from '@/api'
import type {
  CheckedOut,
  RefundInput,
  IncomeInput,
  IncomePage,
  Order,
  OrderFilter,
  OrderHistory,
  OrderPage,
  BillingPlay,
  BillingReport,
  ReportList,
  SandboxPayment,
} from '@/api/wire.gen'

const admin = (id: string) => at('/admin/orders', id)

/** REST of orders and money. */
export const billingApi = {
  orders: (query: OrderFilter) => http.json<OrderPage>('GET', '/orders', { query: { ...query } }),
  order: (id: string) => http.json<Order>('GET', at('/orders', id)),
  checkout: (id: string, gateway: string) => http.json<CheckedOut>('POST', `${at('/orders', id)}/checkout`, { body: { gateway } }),

  income: (query: IncomeInput) => http.json<IncomePage>('GET', '/me/income', { query: { ...query } }),
  incomeFile: (query: IncomeInput) => http.blob(`/me/income.csv?${new URLSearchParams({ from: query.from ?? '', to: query.to ?? '' })}`),

  sandbox: (reference: string) => http.json<SandboxPayment>('GET', at('/sandbox', reference)),
  play: (reference: string, play: BillingPlay) => http.json<SandboxPayment>('POST', at('/sandbox', reference), { body: { play } }),

  admin: {
    orders: (query: OrderFilter) => http.json<OrderPage>('GET', '/admin/orders', { query: { ...query } }),
    file: (id: string) => http.json<OrderHistory>('GET', admin(id)),
    /** The same id refunds once, however often it is sent. */
    refund: ({ orderId, ...body }: RefundInput) => http.json<Order>('POST', `${admin(orderId)}/refund`, { body }),
    reports: () => http.json<ReportList>('GET', '/admin/reconciliations'),
    reconcile: (day: string) => http.json<BillingReport>('POST', '/admin/reconciliations', { body: { day } }),
  },
}
