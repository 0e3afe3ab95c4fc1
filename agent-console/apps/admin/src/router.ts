/** Addresses of this page. An object's id may stand in the address, never a name. */
import { createRouter, createWebHistory } from "vue-router";

/** Which area of the bar each address lies in. */
export const AREAS = { overview: ["overview"], queues: ["queues", "slots", "pairs", "halls"], staff: ["staff"], audit: ["audit"] } as const;

export const router = createRouter({
  history: createWebHistory("/admin/"),
  routes: [
    { path: "/", name: "overview", component: () => import("./views/OverviewPage.vue") },
    { path: "/queues", name: "queues", component: () => import("./views/QueuesPage.vue") },
    { path: "/queues/slots", name: "slots", component: () => import("./views/SlotsPage.vue") },
    { path: "/queues/pairs", name: "pairs", component: () => import("./views/PairsPage.vue") },
    { path: "/queues/halls", name: "halls", component: () => import("./views/HallsPage.vue") },
    { path: "/staff", name: "staff", component: () => import("./views/StaffPage.vue") },
    { path: "/audit", name: "audit", component: () => import("./views/AuditPage.vue"), props: (route) => ({ object: typeof route.query.object === "string" ? route.query.object : "" }) },
    { path: "/:rest(.*)*", redirect: { name: "overview" } },
  ],
});
