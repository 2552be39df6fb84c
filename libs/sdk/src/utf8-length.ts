/** utf8Length answers how many bytes `text` takes as UTF-8, without encoding it; a lone surrogate takes three. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    const next = unit >= 0xd800 && unit < 0xdc00 ? text.charCodeAt(i + 1) : 0;
    // A pair takes four bytes: its two units, and the two just added; its second unit adds nothing.
    if (next >= 0xdc00 && next < 0xe000) i++;
  }
  return bytes;
}
