import "@cloud-booth/tokens/index.css";
import "./style.css";
import { createApp } from "vue";
import { setUpLanguages } from "@cloud-booth/i18n";
import App from "./App.vue";
import { arrive } from "./model/arrival.ts";
import { tabShelf } from "./model/store.ts";
import { router } from "./router.ts";
import casework from "./messages/casework.json";
import device from "./messages/device.json";
import phone from "./messages/phone.json";
import talk from "./messages/talk.json";

// Before anything else looks at the address: the one-time code must not stay in it.
const arrival = arrive(tabShelf, location, history);

const languages = setUpLanguages({ surface: "phone", messages: [phone, device, talk, casework] });
createApp(App, { arrival }).use(languages).use(router).mount("#app");
