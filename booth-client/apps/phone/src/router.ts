/** The pages' addresses. They hold no secrets: tokens live in the models. Each page takes the focus at its top. */
import { nextTick } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import HomePage from "./pages/HomePage.vue";

declare module "vue-router" {
  interface RouteMeta {
    /** Message key of the page's name. */
    title: string;
    /** The page brings its own top line. */
    bare?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory("/phone/"),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: "/", name: "home", component: HomePage, meta: { title: "phone.title" } },
    { path: "/items/:id", name: "item", component: () => import("./pages/ItemPage.vue"), meta: { title: "phone.guide" } },
    { path: "/check", name: "check", component: () => import("./pages/CheckPage.vue"), meta: { title: "device.title" } },
    { path: "/device", name: "device", component: () => import("./pages/DevicePage.vue"), meta: { title: "check.title" } },
    { path: "/book", name: "book", component: () => import("./pages/BookPage.vue"), meta: { title: "book.title" } },
    { path: "/appointments", name: "appointments", component: () => import("./pages/AppointmentsPage.vue"), meta: { title: "book.mine" } },
    { path: "/message", name: "message", component: () => import("./pages/MessagePage.vue"), meta: { title: "leave.title" } },
    { path: "/others", name: "others", component: () => import("./pages/OthersPage.vue"), meta: { title: "offer.others" } },
    { path: "/guest", name: "guest", component: () => import("./pages/GuestPage.vue"), meta: { title: "phone.guest" } },
    { path: "/call", name: "call", component: () => import("./pages/CallPage.vue"), meta: { title: "talk.title", bare: true } },
    { path: "/arrive", name: "arrive", component: () => import("./pages/ArrivePage.vue"), meta: { title: "casework.title" } },
    { path: "/cases/:id", name: "case", component: () => import("./pages/CasePage.vue"), meta: { title: "casework.title" } },
    { path: "/cases/:id/correction", name: "correction", component: () => import("./pages/CorrectionPage.vue"), meta: { title: "casework.correctTitle" } },
    { path: "/cases/:id/rating", name: "rating", component: () => import("./pages/RatingPage.vue"), meta: { title: "rate.title" } },
    { path: "/:rest(.*)*", name: "none", component: () => import("./pages/NonePage.vue"), meta: { title: "phone.notFoundTitle" } },
  ],
});

router.afterEach((to, from) => {
  if (from.name && to.path !== from.path) void nextTick(() => document.getElementById("main")?.focus({ preventScroll: true }));
});
