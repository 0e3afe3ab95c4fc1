import "element-plus/dist/index.css";
import "@cloud-booth/tokens/index.css";
import "@cloud-booth/tokens/element.css";
import "./admin.css";
import { createApp } from "vue";
import { setUpLanguages } from "@cloud-booth/i18n";
import App from "./App.vue";
import { account } from "./model/account.ts";
import { router } from "./router.ts";
import messages from "./messages/admin.json";

const languages = setUpLanguages({ surface: "console", messages });

void account.start();
createApp(App).use(languages).use(router).mount("#app");
