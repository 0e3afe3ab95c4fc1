/** The co-filled form. The server holds the document; here are the writer (one write in flight a field, conflicts),
 * presence (who is where), and the renderer in two modes. Nothing is stored. */
export { FormWriter, type FieldWrite, type SendField } from "./writer.ts";
export { FormPresence, type FieldPresence } from "./presence.ts";
export { controlId, readValue, showValue } from "./value.ts";
export { default as FormRenderer } from "./FormRenderer.vue";
export { default as FieldRow } from "./FieldRow.vue";
export { default as FieldInput } from "./FieldInput.vue";
