/** The HTTP clients of this page: one without a token, and one for each token a citizen may hold. */
import { ApiClient } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";

const language = (): string => preferences.state.locale;

/** Photos go over slow lines: the whole call may take this long, milliseconds. */
const UPLOAD_MS = 90_000;

export const publicApi = new ApiClient({ language });

export function apiWith(token: () => string | null): ApiClient {
  return new ApiClient({ language, token: { get: token }, timeout_ms: UPLOAD_MS });
}
