// Lint rules for every page and shared package. Two of them guard the strict content security policy
// (no inline style from templates, no v-html); the rest keep files small and honest.
import tseslint from "typescript-eslint";
import vue from "eslint-plugin-vue";
import vueParser from "vue-eslint-parser";

export default tseslint.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "target/**", "data/**", "web/api/src/openapi.ts"] },
  ...tseslint.configs.recommended,
  ...vue.configs["flat/essential"],
  {
    files: ["**/*.vue"],
    languageOptions: { parser: vueParser, parserOptions: { parser: tseslint.parser, extraFileExtensions: [".vue"] } },
  },
  {
    files: ["**/*.{ts,js,vue}"],
    rules: {
      "max-lines": ["error", { max: 400, skipBlankLines: true }],
      "no-console": "error",
      "no-eval": "error",
      "no-new-func": "error",
      eqeqeq: ["error", "smart"],
      "vue/no-v-html": "error",
      "vue/no-static-inline-styles": ["error", { allowBinding: true }],
      "vue/multi-word-component-names": "off",
      "vue/no-unused-refs": "error",
      "vue/require-v-for-key": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }],
      "@typescript-eslint/no-explicit-any": "error",
    },
  },
);
