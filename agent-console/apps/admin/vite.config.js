import { app } from "@cloud-booth/build";

export default app({ base: "/admin/", port: 5176 });
