import { app } from "@cloud-booth/build";

export default app({ base: "/office/", port: 5175 });
