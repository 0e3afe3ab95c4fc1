/** What the pages of staff share: who is signed in, the frame around a page, one act that is sent once. Without a kit. */
export { staffAccount, type StaffAccount, type Stage } from "./account.ts";
export { useAct } from "./act.ts";
export { useOnline } from "./online.ts";
export { default as StaffFrame } from "./StaffFrame.vue";
export { default as ActSheet } from "./ActSheet.vue";
export { default as RecordingsDesk } from "./replay/RecordingsDesk.vue";
export { default as replayMessages } from "./replay/messages.json";
