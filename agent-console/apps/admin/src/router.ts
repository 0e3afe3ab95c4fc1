/** Addresses of this page. An object's id may stand in the address, never a name. */
import { createRouter, createWebHistory } from "vue-router";

export const router = createRouter({
  history: createWebHistory("/admin/"),
  routes: [
    { path: "/", name: "overview", component: () => import("./views/OverviewPage.vue") },
    { path: "/queues", name: "queues", component: () => import("./views/QueuesPage.vue") },
    { path: "/audit", name: "audit", component: () => import("./views/AuditPage.vue"), props: (route) => ({ object: typeof route.query.object === "string" ? route.query.object : "" }) },
    { path: "/:rest(.*)*", redirect: { name: "overview" } },
  ],
});
