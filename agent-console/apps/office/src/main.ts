import "element-plus/dist/index.css";
import "@cloud-booth/tokens/index.css";
import "@cloud-booth/tokens/element.css";
import "./office.css";
import { createApp } from "vue";
import { setUpLanguages } from "@cloud-booth/i18n";
import App from "./App.vue";
import { replayMessages } from "@cloud-booth/staff";
import { account } from "./model/account.ts";
import { router } from "./router.ts";
import office from "./messages/office.json";
import review from "./messages/review.json";

const languages = setUpLanguages({ surface: "console", messages: [office, review, replayMessages] });

void account.start();
createApp(App).use(languages).use(router).mount("#app");
