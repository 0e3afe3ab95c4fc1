import "@cloud-booth/tokens/index.css";
import "./wall.css";
import { createApp, watch } from "vue";
import { preferences, setUpLanguages } from "@cloud-booth/i18n";
import App from "./App.vue";
import { account } from "./model/account.ts";
import { replayMessages } from "@cloud-booth/staff";
import messages from "./messages/wall.json";

const languages = setUpLanguages({ surface: "console", messages: [messages, replayMessages] });
// Hung on a wall and looked at all day: always dark, without changing what the console's other pages remember.
watch(preferences.state, () => (document.documentElement.dataset.theme = "dark"), { immediate: true, flush: "post" });

void account.start();
createApp(App).use(languages).mount("#app");
