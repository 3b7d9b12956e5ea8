import { at, http } from '.'
import { Failure } from './failure'
import { askAsGuest } from './http'
import type {
  ConfirmInput,
  FinishInput,
  Login,
  LogoutRedirect,
  Passkey,
  PasskeyChallenge,
  ProviderRedirect,
  RecoveryCodes,
  ResetAnswer,
  AccountSecurity,
  TOTPSetup,
} from './wire.gen'

/** Where a browser goes to log in at a provider. */
export const providerStart = (id: string, next?: string) =>
  `/api/v1/auth/oidc/${encodeURIComponent(id)}/start${next ? `?${new URLSearchParams({ next })}` : ''}`

/** Whether this browser has passkeys as JSON, which all have since 2025. */
export const passkeysSupported = () =>
  typeof PublicKeyCredential === 'function' && typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function' && window.isSecureContext

interface Wrapped<T> {
  publicKey: T
}

/** The answer of whichever authenticator the person chooses; refused when they choose none. */
async function ceremony(ask: () => Promise<Credential | null>): Promise<unknown> {
  const credential = await ask().catch(() => null)
  if (!(credential instanceof PublicKeyCredential)) throw Failure.aborted()
  return credential.toJSON()
}

/** REST of the account centre. */
export const identityApi = {
  forgotPassword: (email: string) => askAsGuest<undefined>('POST', '/auth/password/forgot', { body: { email } }),
  resetPassword: (token: string, password: string) => askAsGuest<ResetAnswer>('POST', '/auth/password/reset', { body: { token, password } }),
  verifyEmail: (token: string, password?: string) => askAsGuest<undefined>('POST', '/auth/email/verify', { body: { token, password } }),
  finish: (body: FinishInput) => askAsGuest<Login>('POST', '/auth/oidc/finish', { body }),
  logOut: (refreshToken: string) => askAsGuest<LogoutRedirect>('POST', '/auth/oidc/logout', { body: { refreshToken } }),

  async logInWithPasskey(): Promise<Login> {
    const { ticket, options } = await askAsGuest<PasskeyChallenge>('POST', '/auth/passkey/ask')
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON((options as Wrapped<PublicKeyCredentialRequestOptionsJSON>).publicKey)
    const credential = await ceremony(() => navigator.credentials.get({ publicKey }))
    return askAsGuest<Login>('POST', '/auth/passkey/use', { body: { ticket, credential } })
  },

  security: () => http.json<AccountSecurity>('GET', '/me/security'),
  confirm: (body: ConfirmInput) => http.json<undefined>('POST', '/auth/sessions/confirm', { body }),
  keep: () => http.json<undefined>('POST', '/auth/sessions/keep'),
  revokeOthers: () => http.json<undefined>('DELETE', '/auth/sessions'),
  changePassword: (password: string) => http.json<undefined>('PUT', '/me/password', { body: { password } }),
  sendVerification: () => http.json<undefined>('POST', '/me/email/verification'),

  beginTotp: () => http.json<TOTPSetup>('POST', '/me/totp'),
  confirmTotp: (otp: string) => http.json<RecoveryCodes>('POST', '/me/totp/confirm', { body: { otp } }),
  removeTotp: () => http.json<undefined>('DELETE', '/me/totp'),
  renewRecoveryCodes: () => http.json<RecoveryCodes>('POST', '/me/recovery-codes'),

  async addPasskey(name: string): Promise<Passkey> {
    const { ticket, options } = await http.json<PasskeyChallenge>('POST', '/me/passkeys/begin')
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON((options as Wrapped<PublicKeyCredentialCreationOptionsJSON>).publicKey)
    const credential = await ceremony(() => navigator.credentials.create({ publicKey }))
    return http.json<Passkey>('POST', '/me/passkeys', { body: { ticket, name, credential } })
  },
  removePasskey: (id: string) => http.json<undefined>('DELETE', at('/me/passkeys', id)),

  link: (provider: string) => http.json<ProviderRedirect>('POST', at('/me/identities', provider)),
  unlink: (id: string) => http.json<undefined>('DELETE', at('/me/identities', id)),
}
