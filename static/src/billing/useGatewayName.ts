import { useI18n } from 'vue-i18n'

/** Returns the translated name of a gateway, or its identifier if there is no translation. */
export function useGatewayName() {
  const { t, te } = useI18n()
  return (gateway: string) => (te(`billing.gateway.${gateway}.name`) ? t(`billing.gateway.${gateway}.name`) : gateway)
}
