import { encode } from 'uqr'
import { within } from './elements.js'

/** Draws a text as a QR code, with the quiet zone of four modules that readers expect. */
export function drawQrCode(picture: SVGSVGElement, text: string): void {
  const { data } = encode(text, { border: 4 })
  const modules = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
  picture.setAttribute('viewBox', `0 0 ${data.length} ${data.length}`)
  within(picture, 'path', SVGPathElement).setAttribute('d', modules.join(''))
}
