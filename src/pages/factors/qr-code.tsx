import type { VNode } from 'preact'
import { encode } from 'uqr'

/** A QR code, drawn without a script, a style or a request. */
export function QrCode({ text, label }: { text: string; label: string }): VNode {
  const { data, size } = encode(text, { border: 4 })
  return (
    <svg class="qr-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <path fill="#000" d={data.map((row, y) => rowPath(row, y)).join('')} />
    </svg>
  )
}

/** The dark modules of a row. */
function rowPath(row: readonly boolean[], y: number): string {
  return row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')).join('')
}
