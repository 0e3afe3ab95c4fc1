// All shared components on one page, for the browser test and for the eye: /gallery/?surface=booth&elder&lang=en&theme=dark
import "@cloud-booth/tokens/index.css";
import { createApp } from "vue";
import { preferences, setUpLanguages, type Surface } from "@cloud-booth/i18n";
import Gallery from "./Gallery.vue";
import { callMyself } from "./loopback.ts";

const query = new URLSearchParams(location.search);
const languages = setUpLanguages({ surface: (query.get("surface") ?? "phone") as Surface });
preferences.setElder(query.has("elder"));
preferences.setLocale(query.get("lang") === "en" ? "en" : "zh-CN");
preferences.setTheme(query.get("theme") === "dark" ? "dark" : "light");
createApp(Gallery).use(languages).mount("#app");
Object.assign(window, { callMyself });
