import { boardHeight, boardWidth } from './draw'

/** Which part of the board a screen shows: a scale, and where the board's corner is. */
export interface View {
  scale: number
  x: number
  y: number
}

const smallest = 0.1
const largest = 8

/** The whole board, in the middle. */
export function fitted(width: number, height: number): View {
  const scale = Math.min(width / boardWidth, height / boardHeight)
  return { scale, x: (width - boardWidth * scale) / 2, y: (height - boardHeight * scale) / 2 }
}

/** Closer or further; what is at (x, y) of the screen stays there. */
export function zoomed(view: View, by: number, x: number, y: number): View {
  const scale = Math.min(largest, Math.max(smallest, view.scale * by))
  const change = scale / view.scale
  return { scale, x: x - (x - view.x) * change, y: y - (y - view.y) * change }
}

/** A point of the screen in the board's units, to a tenth. */
export function onBoard(view: View, x: number, y: number): [number, number] {
  const tenth = (n: number) => Math.round(n * 10) / 10
  return [tenth((x - view.x) / view.scale), tenth((y - view.y) / view.scale)]
}
