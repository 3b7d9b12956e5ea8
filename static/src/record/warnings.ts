import type { Acknowledgement, DrugWarning } from '@/api/wire.gen'

/** Names a warning: the same one has the same name after the next check. */
export const warningKey = (w: DrugWarning) => `${w.code} ${w.items.join(',')} ${w.message}`

/** Reports whether a prescription with these warnings can be signed: nothing stops it, and each warning has a reason. */
export const mayBeSigned = (warnings: DrugWarning[], reasons: Record<string, string>) =>
  warnings.every((w) => w.severity === 'info' || (w.severity === 'warn' && Boolean(reasons[warningKey(w)]?.trim())))

/** The reasons as the server takes them: one for each code and list of items. */
export function acknowledgements(warnings: DrugWarning[], reasons: Record<string, string>): Acknowledgement[] {
  const all = new Map<string, Acknowledgement>()
  for (const w of warnings) {
    const reason = reasons[warningKey(w)]?.trim()
    if (w.severity !== 'warn' || !reason) continue
    const key = `${w.code} ${w.items.join(',')}`
    const before = all.get(key)
    if (!before) all.set(key, { code: w.code, items: w.items, reason })
    else if (!before.reason.split('; ').includes(reason)) before.reason = `${before.reason}; ${reason}`.slice(0, 500)
  }
  return [...all.values()]
}
