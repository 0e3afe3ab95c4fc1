import { app } from "@cloud-booth/build";

export default app({ base: "/wall/", port: 5177 });
