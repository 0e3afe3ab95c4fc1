import { app } from "@cloud-booth/build";

export default app({ base: "/phone/", port: 5172 });
