/** The bar chart of the README: the same access by everyone, nanoseconds of CPU time, one panel per access. */
import type { SessionResult } from '../harness/session.ts';
import { figure } from './table.ts';

/** A panel: its title and its bars. */
interface Panel {
  readonly title: string;
  readonly rows: readonly (readonly [label: string, id: string])[];
}

const PANELS: readonly Panel[] = [
  {
    title: 'load u32, RAM, one section',
    rows: [
      ['guestmem AddressSpace', 'space/load32/hot'],
      ['raw DataView', 'floor/load32/hot'],
      ['rust-vmm vm-memory (native)', 'native-plain/load32/hot'],
      ['rust-vmm, GuestMemoryAtomic', 'native-atomic/load32/hot'],
      ['v86', 'v86/load32/hot'],
      ['rp2040js', 'rp2040js/load32/hot'],
    ],
  },
  {
    title: 'load u32, RAM, eight sections at random',
    rows: [
      ['guestmem AddressSpace', 'space/load32/hot8'],
      ['rust-vmm vm-memory (native)', 'native-plain/load32/hot8'],
    ],
  },
  {
    title: 'store u32, RAM',
    rows: [
      ['guestmem AddressSpace', 'space/store32/hot'],
      ['guestmem, dirty tracking', 'space-dirty/store32/hot'],
      ['rust-vmm vm-memory (native)', 'native-plain/store32/hot'],
      ['rust-vmm, AtomicBitmap', 'native-bitmap/store32/hot'],
      ['v86', 'v86/store32/hot'],
      ['rp2040js', 'rp2040js/store32/hot'],
    ],
  },
  {
    title: 'device register read, eight devices in turn',
    rows: [
      ['guestmem AddressSpace', 'space/device/device8'],
      ['v86', 'v86/device/device8'],
      ['rp2040js', 'rp2040js/device/device8'],
    ],
  },
];

const WIDTH = 760;
const LABEL = 210;
const LINE = 20;
const COLORS = { ours: '#2f6f4f', theirs: '#9aa5b1' } as const;

/** @param caption date, commit and engine. */
export function chart(result: SessionResult, caption: string): string {
  const ns = new Map(result.rows.map((row) => [row.id, row.ns]));
  const parts: string[] = [];
  let y = 34;
  for (const panel of PANELS) {
    const known = panel.rows.flatMap(([label, id]) => {
      const value = ns.get(id);
      return value == null ? [] : [{ label, id, value }];
    });
    if (known.length === 0) continue;
    const longest = Math.max(...known.map((row) => row.value));
    parts.push(text(12, y, panel.title, 'font-weight="600"'));
    y += 8;
    for (const { label, id, value } of known) {
      const width = Math.max(2, ((WIDTH - LABEL - 90) * value) / longest);
      const color = /^space/.test(id) ? COLORS.ours : COLORS.theirs;
      parts.push(
        text(LABEL - 8, y + 14, label, 'text-anchor="end"'),
        `<rect x="${LABEL}" y="${y + 3}" width="${width.toFixed(1)}" height="14" rx="2" fill="${color}"/>`,
        text(LABEL + width + 6, y + 14, `${figure(value)} ns`),
      );
      y += LINE;
    }
    y += 24;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 6}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="CPU time per access">
<rect width="${WIDTH}" height="${y + 6}" fill="#ffffff"/>
${text(12, 16, 'CPU time per access (shorter is better)', 'font-weight="700"')}
${parts.join('\n')}
${text(12, y - 2, caption, 'fill="#667"')}
</svg>
`;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}"${attributes === '' ? '' : ` ${attributes}`}>${escaped}</text>`;
}
