/* The side of the composer: what was found is marked at its field, one preview at a time, and what is open stays open. */
(() => {
  "use strict";

  const form = () => document.querySelector("[data-composer]");

  /* --- What the checks found out decides what is asked: shapes that change, a first comment, the title of a link -------- */

  function follow(root) {
    const facts = root.querySelector("[data-review-facts]");
    if (!facts) return;
    for (const part of root.querySelectorAll("[data-crop]")) {
      const note = facts.querySelector(`[data-reshaped="${CSS.escape(part.dataset.crop)}"]`);
      part.toggleAttribute("data-unneeded", !note);
      if (note) part.querySelector("[data-crop-note]").textContent = note.textContent;
    }
    root.querySelector("[data-first-comment]")?.toggleAttribute("data-unneeded", facts.dataset.takesComment !== "yes");
    for (const fact of facts.querySelectorAll("[data-type-of]")) {
      const choices = root.querySelector(`.composer-choices[data-account="${CSS.escape(fact.dataset.typeOf)}"]`);
      for (const part of choices?.querySelectorAll("[data-post-types]") ?? []) {
        part.toggleAttribute("data-unfit", !part.dataset.postTypes.split(" ").includes(fact.textContent));
      }
    }
  }

  /* --- What has to change is said at its field, too ------------------------------------------------------------------- */

  const findings = (root) => root.querySelectorAll("[data-fix][data-level=error]");

  const marked = new Map(); // field: what described it before

  function clearMarks(root) {
    for (const [field, described] of marked) {
      field.removeAttribute("aria-invalid");
      if (described) field.setAttribute("aria-describedby", described);
      else field.removeAttribute("aria-describedby");
    }
    marked.clear();
    for (const part of root.querySelectorAll("[data-has-finding]")) part.removeAttribute("data-has-finding");
  }

  function mark(root) {
    clearMarks(root);
    for (const finding of findings(root)) {
      const field = document.getElementById(finding.dataset.fix);
      field?.closest(".composer-picture, .composer-account")?.setAttribute("data-has-finding", "");
      // A button has nothing to be invalid, and what the server marked stays as it is.
      if (!field || field.matches("button") || (!marked.has(field) && field.getAttribute("aria-invalid") === "true")) continue;
      const described = field.getAttribute("aria-describedby") ?? "";
      if (!marked.has(field)) marked.set(field, described);
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", `${described} ${finding.id}_text`.trim());
    }
  }

  const side = () => document.getElementById("composer_side");

  function goTo(id) {
    const field = document.getElementById(id);
    if (!field) return false;
    if (side()?.matches(":popover-open")) side().hidePopover();
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    field.scrollIntoView({ block: "center" });
    field.focus();
    return true;
  }

  document.addEventListener("click", (event) => {
    const finding = event.target.closest?.("[data-fix-go]")?.closest("[data-fix]");
    if (finding) goTo(finding.dataset.fix);
    if (!event.target.closest?.("#composer_note a") || !form()) return;
    event.preventDefault();
    const known = [...findings(form())].some((one) => goTo(one.dataset.fix));
    if (known) return;
    if (getComputedStyle(side()).display === "none") side().showPopover?.();
    document.getElementById("composer_checks").scrollIntoView({ block: "start" });
  });

  /* --- One preview at a time: the server draws the one that was chosen ------------------------------------------------ */

  let wanted = ""; // an answer that was on its way when somebody chose shows what was chosen before

  function choosePreview(input) {
    wanted = input.value;
    input.dispatchEvent(new CustomEvent("preview", { bubbles: true }));
  }

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id === "composer_review" && wanted) event.detail.parameters.preview = wanted;
  });

  // The tab of it may be gone: its account was taken off the post.
  function keepPreview(root) {
    const tab = wanted && root.querySelector(`.preview-tab input[value="${CSS.escape(wanted)}"]`);
    if (tab) tab.checked = true;
    else wanted = "";
  }

  // A choice of what to look at changes nothing of the post: it must not reach those who wait for changes.
  for (const name of ["input", "change"]) {
    document.addEventListener(
      name,
      (event) => {
        if (event.target.name !== "preview") return;
        event.stopPropagation();
        if (name === "change") choosePreview(event.target);
      },
      true,
    );
  }

  // Who writes for one account sees how it looks there.
  document.addEventListener("focusin", (event) => {
    const account = event.target.closest?.(".composer-override, .composer-choices")?.dataset.account;
    const tab = account && form()?.querySelector(`.preview-tab[data-accounts~="${CSS.escape(account)}"] input`);
    if (!tab || tab.checked) return;
    tab.checked = true;
    choosePreview(tab);
  });

  /* --- Previews: the dot of the image that is in sight ------------------------------------------------------------ */

  document.addEventListener(
    "scroll",
    (event) => {
      const slides = event.target;
      if (!slides.matches?.("[data-slides]")) return;
      const at = Math.round(slides.scrollLeft / slides.clientWidth);
      const dots = slides.nextElementSibling?.children ?? [];
      for (const [number, dot] of [...dots].entries()) dot.toggleAttribute("data-on", number === at);
    },
    true,
  );

  /* --- What somebody has opened stays open when it comes back --------------------------------------------------------- */

  const open = new Set();

  document.addEventListener(
    "toggle",
    (event) => {
      const key = event.target.dataset?.keep;
      if (!key || !event.target.isConnected) return;
      if (event.target.open) open.add(key);
      else open.delete(key);
    },
    true,
  );

  function reopen(root) {
    for (const fold of root.querySelectorAll("details[data-keep]:not([open])")) fold.open = open.has(fold.dataset.keep);
  }

  /* --- Start, and whenever something came back ------------------------------------------------------------------------ */

  let isDue = false;

  function refresh() {
    isDue = false;
    if (!form()) return;
    follow(form());
    keepPreview(form());
    reopen(form());
    mark(form());
  }

  document.addEventListener("htmx:afterSettle", () => {
    if (!isDue) queueMicrotask(refresh); // one answer settles in many places
    isDue = true;
  });
  refresh();
})();
