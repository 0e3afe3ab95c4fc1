import "element-plus/dist/index.css";
import "@cloud-booth/tokens/index.css";
import "@cloud-booth/tokens/element.css";
import "./admin.css";
import { createApp } from "vue";
import { setUpLanguages } from "@cloud-booth/i18n";
import App from "./App.vue";
import { account } from "./model/account.ts";
import { router } from "./router.ts";
import admin from "./messages/admin.json";
import keep from "./messages/keep.json";

const languages = setUpLanguages({ surface: "console", messages: [admin, keep] });

void account.start();
createApp(App).use(languages).use(router).mount("#app");
