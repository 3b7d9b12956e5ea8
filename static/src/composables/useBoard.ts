import { onScopeDispose, reactive, ref, shallowRef } from 'vue'
import type { RoomEvent } from 'wenzhen-client'
import { api } from '@/api'
import { Failure } from '@/api/failure'
import { newId } from '@/api/id'
import type { Sketching } from '@/api/wire.gen'
import { boardHeight, boardWidth, draw, type Drawing } from '@/board/draw'
import { Strokes } from '@/board/strokes'
import { useRealtime } from '@/stores/realtime'

/** A stroke of ours that the server does not have yet. */
interface Pending extends Drawing {
  id: string
}

export interface Pointer {
  userId: string
  x: number
  y: number
}

const sketchEveryMs = 60
/** When a stroke that was not taken is sent again. */
const againMs = 3000
/** A pointer that has not moved for so long is not shown any more. */
const pointerMs = 5000

/** The whiteboard of a consultation, on canvases of the board's own size. */
export function useBoard(consultationId: string, me: string) {
  const realtime = useRealtime()
  const ink = shallowRef<HTMLCanvasElement>()
  const live = shallowRef<HTMLCanvasElement>()
  const ready = ref(false)
  const failure = ref<Failure>()
  const attachmentId = ref('')
  const count = ref(0)
  const pointers = reactive(new Map<string, Pointer>())
  const strokes = new Strokes()
  let pending: Pending[] = []
  let own: Drawing | undefined
  const theirs = new Map<string, Drawing & { id: string }>()
  const fading = new Map<string, ReturnType<typeof setTimeout>>()
  const again = new Set<ReturnType<typeof setTimeout>>()
  let frame = 0

  // willReadFrequently keeps the canvas in memory, drawn by the processor: the
  // same strokes give the same pixels on every machine.
  const paper = (canvas: HTMLCanvasElement | undefined) => canvas?.getContext('2d', { willReadFrequently: true }) ?? undefined

  const { conversation, release } = realtime.hold(consultationId)
  const forget = [
    conversation.onEvent((event) => applied(event)),
    realtime.live?.connection.onSignal('board:stroke', sketched),
    realtime.live?.connection.onLink((link) => {
      if (link === 'online') void load()
    }),
  ]
  onScopeDispose(() => {
    for (const stop of forget) stop?.()
    for (const timer of [...fading.values(), ...again]) clearTimeout(timer)
    cancelAnimationFrame(frame)
    release()
  })

  async function load(): Promise<void> {
    strokes.asked()
    try {
      strokes.read(await api.board(consultationId)) // over REST: a full board is large for a socket
      failure.value = undefined
      ready.value = true
      attachmentId.value = strokes.attachmentId
      redraw()
      for (const stroke of pending) void commit(stroke)
    } catch (thrown) {
      failure.value = Failure.from(thrown)
    }
  }

  function applied(event: RoomEvent): void {
    const change = strokes.apply(event)
    if (event.name === 'board:committed') {
      pending = pending.filter((stroke) => stroke.id !== event.data.id)
      if (theirs.get(event.data.authorId)?.id === event.data.id) theirs.delete(event.data.authorId)
    }
    if (change === 'background') attachmentId.value = strokes.attachmentId
    if (change === 'changed') redraw()
    const last = strokes.all.at(-1)
    const context = paper(ink.value)
    if (change === 'added' && last && context) draw(context, last)
    count.value = strokes.all.length
    refresh()
  }

  /** Draws everything anew, in order. */
  function redraw(): void {
    const context = paper(ink.value)
    if (!context) return
    const start = performance.now()
    context.clearRect(0, 0, boardWidth, boardHeight)
    for (const stroke of strokes.all) draw(context, stroke)
    performance.measure('board:redraw', { start })
    count.value = strokes.all.length
    refresh()
  }

  /** What is not on the board yet: ours, and what the others are drawing. */
  function refresh(): void {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(() => {
      const context = paper(live.value)
      if (!context) return
      context.clearRect(0, 0, boardWidth, boardHeight)
      for (const stroke of [...pending, ...theirs.values(), ...(own ? [own] : [])]) draw(context, visible(stroke))
    })
  }

  /** An eraser has nothing to rub out on this layer: its trace is shown instead. */
  const visible = (stroke: Drawing): Drawing => (stroke.tool === 'eraser' ? { ...stroke, tool: 'pen', colour: '#d5ddd8' } : stroke)

  function sketched(sketch: Sketching): void {
    if (sketch.consultationId !== consultationId || sketch.userId === me) return
    pointers.set(sketch.userId, { userId: sketch.userId, x: sketch.x, y: sketch.y })
    clearTimeout(fading.get(sketch.userId))
    fading.set(sketch.userId, setTimeout(() => {
      pointers.delete(sketch.userId)
      theirs.delete(sketch.userId)
      refresh()
    }, pointerMs))
    if (!sketch.strokeId || !sketch.tool || strokes.has(sketch.strokeId)) return
    const before = theirs.get(sketch.userId)
    const points = before?.id === sketch.strokeId ? before.points.slice(0, 3 * (sketch.from ?? 0)) : []
    theirs.set(sketch.userId, { id: sketch.strokeId, tool: sketch.tool, colour: sketch.colour ?? '#000000', width: sketch.width ?? 4, points: [...points, ...(sketch.points ?? [])] })
    refresh()
  }

  // The unfinished stroke is sent in pieces, a few times a second.
  let sketchAt = 0
  let sentPoints = 0
  let ownId = ''

  function sendPoint(x: number, y: number): void {
    const now = Date.now()
    if (now - sketchAt < sketchEveryMs) return
    sketchAt = now
    const shape = own && own.tool !== 'pen' && own.tool !== 'eraser'
    const from = shape ? 0 : sentPoints
    const piece = own && own.tool !== 'text' ? { strokeId: ownId, tool: own.tool, colour: own.colour, width: own.width, from, points: own.points.slice(3 * from) } : {}
    if (own) sentPoints = own.points.length / 3
    void realtime.ask('board:stroke', { consultationId, x, y, ...piece }).catch(() => undefined)
  }

  function begin(drawing: Drawing): void {
    own = drawing
    ownId = newId()
    sentPoints = 0
    refresh()
  }

  /** The stroke in the making has changed; (x, y) is where the pointer is. */
  function extend(points: number[], x: number, y: number): void {
    if (own) own.points = points
    sendPoint(x, y)
    refresh()
  }

  /** The stroke in the making is finished. */
  function finish(): void {
    if (!own) return
    const stroke = { ...own, id: ownId }
    own = undefined
    pending.push(stroke)
    refresh()
    void commit(stroke)
  }

  function cancel(): void {
    own = undefined
    refresh()
  }

  async function commit(stroke: Pending): Promise<void> {
    try {
      await realtime.ask('board:commit', { consultationId, ...stroke })
    } catch (thrown) {
      const refused = Failure.from(thrown)
      if (refused.retryable) {
        // Sent again soon, or as soon as the connection is back; the same id is the same stroke.
        again.add(setTimeout(() => {
          if (pending.includes(stroke)) void commit(stroke)
        }, refused.retryAfterMs ?? againMs))
        return
      }
      pending = pending.filter((other) => other !== stroke)
      failure.value = refused
      refresh()
    }
  }

  const undo = () => realtime.ask('board:undo', { consultationId })
  const clear = () => realtime.ask('board:clear', { consultationId })
  const setBackground = (id: string) => realtime.ask('board:background', { consultationId, attachmentId: id })

  return { ink, live, ready, failure, attachmentId, count, pointers, conversation, load, begin, extend, finish, cancel, point: sendPoint, undo, clear, setBackground, drawing: () => own !== undefined }
}
