import "@cloud-booth/tokens/index.css";
import "./booth.css";
import { createApp } from "vue";
import { setUpLanguages } from "@cloud-booth/i18n";
import App from "./App.vue";
import { start } from "./model/app.ts";
import booth from "./messages/booth.json";
import talk from "./messages/talk.json";

const languages = setUpLanguages({ surface: "booth", messages: [booth, talk] });

createApp(App).use(languages).mount("#app");
start();
