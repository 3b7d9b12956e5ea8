/** An amount in minor units (fen, cents, yen) as people write it. */
export function money(minor: number, currency: string, locale: string): string {
  try {
    const format = new Intl.NumberFormat(locale, { style: 'currency', currency })
    return format.format(minor / 10 ** decimals(currency))
  } catch {
    return `${minor} ${currency}` // not an ISO 4217 code
  }
}

/** How many decimals a currency has: 2 for CNY, 0 for JPY. */
export function decimals(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 2
  }
}
