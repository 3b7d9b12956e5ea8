import type { Acknowledgement, DrugWarning } from '@/api/wire.gen'

/** Names a warning: the same one has the same name after the next check. */
export const warningKey = (w: DrugWarning) => `${w.code} ${w.items.join(',')} ${w.message}`

/** Reports whether a prescription with these warnings can be signed: nothing stops it, and each warning has a reason. */
export const mayBeSigned = (warnings: DrugWarning[], reasons: Record<string, string>) =>
  warnings.every((w) => w.severity === 'info' || (w.severity === 'warn' && Boolean(reasons[warningKey(w)]?.trim())))

/** The reasons as the server takes them: one for each warning, which its message names. */
export function acknowledgements(warnings: DrugWarning[], reasons: Record<string, string>): Acknowledgement[] {
  return warnings.flatMap((w) => {
    const reason = reasons[warningKey(w)]?.trim()
    return w.severity === 'warn' && reason ? [{ code: w.code, items: w.items, message: w.message, reason }] : []
  })
}
