import "element-plus/dist/index.css";
import "@cloud-booth/tokens/index.css";
import "@cloud-booth/tokens/element.css";
import "./desk.css";
import { createApp } from "vue";
import { setUpLanguages, type Messages } from "@cloud-booth/i18n";
import App from "./App.vue";
import desk from "./messages/desk.json";
import help from "./messages/help.json";
import care from "./messages/care.json";
import panels from "./messages/panels.json";
import record from "./messages/record.json";
import session from "./messages/session.json";
import work from "./messages/work.json";
import { speakWith } from "./model/speak.ts";

const languages = setUpLanguages({ surface: "console", messages: [desk, work, session, panels, help, care, record] as Messages[] });
const { t } = languages.i18n.global;
speakWith((key, values) => t(key, values ?? {}));

createApp(App).use(languages).mount("#app");
