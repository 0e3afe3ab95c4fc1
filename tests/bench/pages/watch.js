// Runs inside the page before its own code: how long after a trusted press or key something stood on the screen, and how often
// lists were touched. Times are the event's own and that of the frame after the change.

export function watch() {
  /** @type {{ shown: string, gone: boolean, text: string } | null} */
  let wanted = null;
  let pressed = 0;
  /** @type {number | null} */
  let took = null;
  /** @type {MutationObserver | null} */
  let lists = null;
  let touched = 0;

  const isThere = () => {
    if (!wanted) return false;
    const { shown, gone, text } = wanted;
    const found = [...document.querySelectorAll(shown)].find((one) => one.checkVisibility() && (!text || one.textContent?.includes(text)));
    return gone ? !found : Boolean(found);
  };
  const look = () => {
    if (!wanted || !pressed || took !== null || !isThere()) return;
    wanted = null;
    requestAnimationFrame((now) => (took = Math.max(now, performance.now()) - pressed));
  };
  /** @param {Event} event */
  const press = (event) => {
    if (event.isTrusted && wanted && !pressed) pressed = event.timeStamp;
  };
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, press, { capture: true });

  Object.assign(window, {
    __watch: {
      /** @param {{ shown: string, gone: boolean, text: string }} what */
      arm(what) {
        pressed = 0;
        took = null;
        wanted = what;
      },
      took: () => took,
      count() {
        touched = 0;
        lists = new MutationObserver((records) => (touched += records.filter((one) => one.target instanceof Element && one.target.closest("ul, ol, table")).length));
        lists.observe(document.body, { subtree: true, childList: true });
      },
      counted() {
        lists?.disconnect();
        return touched;
      },
    },
  });
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
}
