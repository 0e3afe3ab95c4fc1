import "element-plus/dist/index.css";
import "@cloud-booth/tokens/index.css";
import "@cloud-booth/tokens/element.css";
import { createApp } from "vue";
import { setUpLanguages } from "@cloud-booth/i18n";
import App from "./App.vue";
import messages from "./messages.json";

const languages = setUpLanguages({ surface: "console", messages });

createApp(App).use(languages).mount("#app");
