import { app } from "@cloud-booth/build";

export default app({ base: "/booth/", port: 5171 });
