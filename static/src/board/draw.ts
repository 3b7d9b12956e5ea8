import { getStroke } from 'perfect-freehand'
import type { Stroke } from '@/api/wire.gen'

/** The size of the board in its own units, which do not depend on the screen. The server has the same. */
export const boardWidth = 1600
export const boardHeight = 1200

/** As much of a stroke as drawing takes; one in the making has it, too. */
export type Drawing = Pick<Stroke, 'tool' | 'colour' | 'width' | 'points' | 'text'>

type Context = CanvasRenderingContext2D

const options = (width: number) => ({ size: width, thinning: 0.55, smoothing: 0.5, streamline: 0.4, simulatePressure: false })

/** Draws one stroke. Strokes drawn in the same order give the same picture. */
export function draw(context: Context, stroke: Drawing): void {
  context.save()
  context.fillStyle = context.strokeStyle = stroke.colour
  context.lineWidth = stroke.width
  context.lineCap = context.lineJoin = 'round'
  if (stroke.tool === 'eraser') context.globalCompositeOperation = 'destination-out'
  if (stroke.tool === 'pen' || stroke.tool === 'eraser') freehand(context, stroke)
  else if (stroke.tool === 'text') words(context, stroke)
  else shape(context, stroke)
  context.restore()
}

function freehand(context: Context, { points, width, tool }: Drawing): void {
  const input: [number, number, number][] = []
  for (let i = 0; i + 2 < points.length; i += 3) input.push([points[i] ?? 0, points[i + 1] ?? 0, tool === 'eraser' ? 0.5 : (points[i + 2] ?? 0.5)])
  const outline = getStroke(input, options(width))
  const first = outline[0]
  if (!first) return
  context.beginPath()
  context.moveTo(first[0] ?? 0, first[1] ?? 0)
  // Curves through the middles of the outline's edges round its corners off.
  outline.forEach(([x = 0, y = 0], i) => {
    const [nx = 0, ny = 0] = outline[(i + 1) % outline.length] ?? first
    context.quadraticCurveTo(x, y, (x + nx) / 2, (y + ny) / 2)
  })
  context.closePath()
  context.fill()
}

function shape(context: Context, { tool, points, width }: Drawing): void {
  const [x1 = 0, y1 = 0, , x2 = x1, y2 = y1] = points
  context.beginPath()
  switch (tool) {
    case 'rectangle':
      context.rect(Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1))
      break
    case 'ellipse':
      context.ellipse((x1 + x2) / 2, (y1 + y2) / 2, Math.abs(x2 - x1) / 2, Math.abs(y2 - y1) / 2, 0, 0, 2 * Math.PI)
      break
    default:
      context.moveTo(x1, y1)
      context.lineTo(x2, y2)
  }
  if (tool === 'arrow') {
    const angle = Math.atan2(y2 - y1, x2 - x1)
    const head = 10 + 3 * width
    for (const side of [-1, 1]) {
      context.moveTo(x2, y2)
      context.lineTo(x2 - head * Math.cos(angle + side * 0.45), y2 - head * Math.sin(angle + side * 0.45))
    }
  }
  context.stroke()
}

function words(context: Context, { points, width, text = '' }: Drawing): void {
  context.font = `600 ${width}px system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif`
  context.textBaseline = 'top'
  text.split('\n').forEach((line, i) => context.fillText(line, points[0] ?? 0, (points[1] ?? 0) + i * width * 1.25))
}
