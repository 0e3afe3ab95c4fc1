/** Addresses of this page. A case's address holds its id alone, never a number or a name. */
import { createRouter, createWebHistory } from "vue-router";
import { account } from "./model/account.ts";

export const router = createRouter({
  history: createWebHistory("/office/"),
  routes: [
    { path: "/", name: "home", redirect: () => ({ name: account.isReviewer.value || !account.isIssuer.value ? "review" : "issue" }) },
    { path: "/review", name: "review", component: () => import("./views/WorkList.vue"), props: { name: "review" } },
    { path: "/done", name: "done", component: () => import("./views/WorkList.vue"), props: { name: "done" } },
    { path: "/issue/:id?", name: "issue", component: () => import("./views/IssueDesk.vue"), props: true },
    { path: "/cases/:id", name: "case", component: () => import("./views/ReviewCase.vue"), props: true },
    { path: "/:rest(.*)*", redirect: { name: "home" } },
  ],
});
