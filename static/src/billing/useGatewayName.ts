import { useI18n } from 'vue-i18n'

/** What a gateway is called; its own name where nobody has translated it. */
export function useGatewayName() {
  const { t, te } = useI18n()
  return (gateway: string) => (te(`billing.gateway.${gateway}.name`) ? t(`billing.gateway.${gateway}.name`) : gateway)
}
