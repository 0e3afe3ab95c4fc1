import { app } from "@cloud-booth/build";

export default app({ base: "/gallery/", port: 5179 });
