/** On a phone a row of a table is a card: each cell then stands under the word of its column, which this puts there. */
import type { ObjectDirective } from "vue";

function label(table: HTMLTableElement): void {
  const words = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.textContent.trim());
  for (const row of table.tBodies[0]?.rows ?? []) {
    let at = 0;
    for (const cell of row.cells) {
      cell.dataset.label = words[at] ?? "";
      at += cell.colSpan;
    }
  }
}

export const vLabels: ObjectDirective<HTMLTableElement> = { mounted: label, updated: label };
