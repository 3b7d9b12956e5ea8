const storageKey = 'wenzhen.devices'

/** The tokens that logins on this device were given, by e-mail address. */
function read(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Record<string, string>
  } catch {
    return {}
  }
}

const normal = (email: string) => email.trim().toLowerCase()

/** What shows the server that this account was used on this device before. */
export const deviceOf = (email: string): string | undefined => read()[normal(email)]

export function keepDevice(email: string, token: string): void {
  localStorage.setItem(storageKey, JSON.stringify({ ...read(), [normal(email)]: token }))
}
