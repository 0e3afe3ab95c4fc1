/** One act of a sheet: sent once however often the network fails, and told in words when the server refuses. */
import { ref } from "vue";
import { newKey, problemText, ProblemError } from "@cloud-booth/api";

export function useAct(t: (key: string) => string) {
  const busy = ref(false);
  const error = ref("");
  let key = newKey();

  /** True when the server did it. */
  async function run(send: (key: string) => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    error.value = "";
    try {
      await send(key);
      key = newKey();
      return true;
    } catch (problem) {
      // Only an answer frees the key: what may have arrived is repeated, never done twice.
      if (problem instanceof ProblemError && problem.status > 0) key = newKey();
      error.value = problemText(problem, t);
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, error, run };
}
