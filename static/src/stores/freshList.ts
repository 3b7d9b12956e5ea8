/**
 * Lists whose items also come as events. The server may have answered a list
 * before an event that arrived first: what changed during the request counts.
 */
export function freshList<T>() {
  const loads = new Set<T[]>()
  return {
    /** Notes an item that an event or a command has brought. */
    changed(item: T): void {
      loads.forEach((during) => during.push(item))
    },
    /** The items of a request, followed by those that changed meanwhile, which replace them. */
    async load(request: Promise<readonly T[]>): Promise<T[]> {
      const during: T[] = []
      loads.add(during)
      try {
        return [...(await request), ...during]
      } finally {
        loads.delete(during)
      }
    },
  }
}
