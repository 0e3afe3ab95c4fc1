import { app } from "@cloud-booth/build";

export default app({ base: "/console/", port: 5174 });
