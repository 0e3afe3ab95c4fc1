/** Pinyin initials of Chinese words, from the order in which the platform sorts them. Pure; no table of our own. */
const FIRST = [..."阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥扨它穵夕丫帀"];
const LETTERS = [..."abcdefghjklmnopqrstwxyz"];
const order = new Intl.Collator("zh-CN-u-co-pinyin");
const HAN = /\p{Script=Han}/u;
const WORD = /[a-z0-9]/i;
const MAX_CHARS = 64;

function initial(char: string): string {
  if (WORD.test(char)) return char.toLowerCase();
  if (!HAN.test(char)) return "";
  let at = -1;
  while (at + 1 < FIRST.length && order.compare(FIRST[at + 1] ?? "", char) <= 0) at += 1;
  return LETTERS[at] ?? "";
}

/** `请稍等` → `qsd`; Latin letters and digits stay, marks fall away. */
export function initialsOf(text: string): string {
  return [...text].slice(0, MAX_CHARS).map(initial).join("");
}
