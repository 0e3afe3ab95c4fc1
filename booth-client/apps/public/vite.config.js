import { app } from "@cloud-booth/build";

export default app({ base: "/verify/", port: 5173 });
