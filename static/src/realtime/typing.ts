const repeatMs = 4_000
const idleMs = 5_000
const goodForMs = 6_000

/** Sends that the user is typing: immediately, again every 4 s, and when the user stops. */
export class TypingNotice {
  private last = 0
  private idle: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly send: (name: 'typing:start' | 'typing:stop') => void) {}

  wrote(): void {
    clearTimeout(this.idle)
    this.idle = setTimeout(() => this.stop(), idleMs)
    if (this.last && Date.now() - this.last < repeatMs) return
    this.last = Date.now()
    this.send('typing:start')
  }

  stop(): void {
    clearTimeout(this.idle)
    if (!this.last) return
    this.last = 0
    this.send('typing:stop')
  }
}

/** The users who are typing. A start expires after 6 s, in case its stop is lost. */
export class TypingWatch {
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(private readonly changed: (userIds: string[]) => void) {}

  started(userId: string): void {
    clearTimeout(this.timers.get(userId))
    this.timers.set(
      userId,
      setTimeout(() => this.stopped(userId), goodForMs),
    )
    this.changed([...this.timers.keys()])
  }

  stopped(userId: string): void {
    clearTimeout(this.timers.get(userId))
    if (this.timers.delete(userId)) this.changed([...this.timers.keys()])
  }
}
