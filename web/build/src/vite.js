// Vite set-up that all pages share. Owns: base path, output, development proxy, and the rule that a built page needs
// nothing but files of its own origin (the strict content security policy allows no data: address and no inline code).
import { createHash } from "node:crypto";
import vue from "@vitejs/plugin-vue";

const SERVER = process.env.CLOUD_BOOTH_DEV_SERVER ?? "http://127.0.0.1:8080";

const EXTENSIONS = { "font/woff2": "woff2", "font/woff": "woff", "image/svg+xml": "svg", "image/png": "png", "image/gif": "gif" };

/** Moves data: addresses in style sheets (kit fonts, masks) into hashed files, and drops addresses of other hosts.
 * @returns {import("vite").Plugin} */
export function externaliseCssData() {
  return {
    name: "cloud-booth:css-data",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const asset of Object.values(bundle)) {
        if (asset.type !== "asset" || !asset.fileName.endsWith(".css")) continue;
        const css = typeof asset.source === "string" ? asset.source : new TextDecoder().decode(asset.source);
        asset.source = css
          .replace(/,?\s*url\((["']?)(?:https?:)?\/\/[^)]*\1\)(?:\s*format\([^)]*\))?/g, "")
          .replace(/url\((?:"(data:[^"]*)"|'(data:[^']*)'|(data:[^)\s]*))\)/g, (_all, a, b, c) => {
            const data = String(a ?? b ?? c);
            const match = /^data:([^;,]+)((?:;[^,;]+)*),([\s\S]*)$/.exec(data);
            if (!match) throw new Error(`a data address that is not understood: ${data.slice(0, 60)}`);
            const [, type = "", flags = "", body = ""] = match;
            const bytes = flags.includes(";base64") ? Buffer.from(body, "base64") : Buffer.from(decodeURIComponent(body.replace(/\\(["'])/g, "$1")));
            const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
            const extension = EXTENSIONS[/** @type {keyof typeof EXTENSIONS} */ (type)] ?? "bin";
            const name = `inline-${hash}.${extension}`;
            if (!bundle[`assets/${name}`]) this.emitFile({ type: "asset", fileName: `assets/${name}`, source: bytes });
            return `url(./${name})`;
          });
      }
    },
  };
}

/** The whole configuration of one app.
 * @param {{ base: string, port: number }} app `base` is the path at which the server serves the page, with both slashes.
 * @returns {import("vite").UserConfig} */
export function app({ base, port }) {
  return {
    base,
    plugins: [vue(), externaliseCssData()],
    define: {
      __VUE_OPTIONS_API__: "true",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
      __VUE_I18N_FULL_INSTALL__: "false",
      __VUE_I18N_LEGACY_API__: "false",
      __INTLIFY_PROD_DEVTOOLS__: "false",
    },
    resolve: { dedupe: ["vue", "vue-i18n", "vue-router"] },
    build: {
      outDir: "dist",
      emptyOutDir: true,
      target: "es2022",
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      cssCodeSplit: true,
      sourcemap: false,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1500,
    },
    server: {
      host: "127.0.0.1",
      port,
      strictPort: true,
      proxy: {
        "/api": { target: SERVER, changeOrigin: false },
        "/ws": { target: SERVER, ws: true, changeOrigin: false },
      },
    },
  };
}
