/* The composer: what the server need not be asked for. Everything here also works without. */
(() => {
  "use strict";

  const form = () => document.querySelector("[data-composer]");
  let isDirty = false;

  /* --- Accounts: the text for one network is offered when its account is chosen ---------------------------------- */

  function showChosen(root) {
    for (const box of root.querySelectorAll("input[name=accounts]")) {
      for (const part of root.querySelectorAll(`[data-account="${CSS.escape(box.value)}"]`)) {
        part.toggleAttribute("data-unchosen", !box.checked);
      }
    }
  }

  document.addEventListener("change", (event) => {
    if (event.target.name === "accounts") showChosen(event.target.form);
  });

  /* --- What a network asks only when something else was chosen: an event has a time, an offer a code ---------------- */

  const valueOf = (field) => (field.type === "checkbox" ? (field.checked ? "yes" : "no") : field.value);

  document.addEventListener("change", (event) => {
    if (!event.target.closest?.(".composer-choice")) return;
    for (const part of event.target.closest(".composer-choices").querySelectorAll("[data-asked-when]")) {
      const rule = Object.entries(JSON.parse(part.dataset.askedWhen));
      const isAsked = rule.every(([name, values]) => values.includes(valueOf(event.target.form.elements[name])));
      part.toggleAttribute("data-unasked", !isAsked);
    }
  });

  /* --- Many accounts: find one, choose all that are shown or none ------------------------------------------------- */

  const rowsOf = (root) => [...root.querySelectorAll(".composer-account[data-text]")];

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-accounts-filter]")) return;
    const wanted = event.target.value.trim().toLocaleLowerCase();
    for (const row of rowsOf(event.target.form)) row.hidden = !row.dataset.text.toLocaleLowerCase().includes(wanted);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-accounts-filter]")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-accounts-choose]");
    if (!button) return;
    const isAll = button.dataset.accountsChoose === "yes";
    let last = null;
    for (const row of rowsOf(button.form)) {
      const box = row.querySelector("input[name=accounts]");
      if (box.disabled || (isAll && row.hidden) || box.checked === isAll) continue;
      box.checked = isAll;
      last = box;
    }
    last?.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /* --- Leaving with something unsaved ----------------------------------------------------------------------------- */

  document.addEventListener("input", (event) => {
    if (event.target.form === form()) isDirty = true;
  });
  document.addEventListener("reorder", () => { isDirty = true; });
  document.addEventListener("submit", () => { isDirty = false; });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty && form()) event.preventDefault();
  });

  /* --- Files dropped anywhere on the card of media --------------------------------------------------------------- */

  const zoneOf = (event) => event.target.closest?.("#composer_media");
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

  document.addEventListener("dragover", (event) => {
    const zone = carriesFiles(event) && zoneOf(event);
    for (const other of document.querySelectorAll("[data-drop]")) if (other !== zone) delete other.dataset.drop;
    if (!zone) return;
    event.preventDefault();
    zone.dataset.drop = "";
  });
  document.addEventListener("dragleave", (event) => {
    const zone = zoneOf(event);
    if (zone && !zone.contains(event.relatedTarget)) delete zone.dataset.drop;
  });
  document.addEventListener("drop", (event) => {
    const zone = carriesFiles(event) && zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    delete zone.dataset.drop;
    const input = zone.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /* --- Uploads: what is too large is said before it is sent, and what is sent shows how far it is ------------------ */

  let refused = []; // sentences that must outlive the form that comes back

  const megabytes = (bytes) => `${(bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0)} MB`;

  function refusalOf(input, file) {
    const isPicture = file.type.startsWith("image/") || /\.(jpe?g|png|webp|gif|heic|heif)$/i.test(file.name);
    const { maxBytes, maxVideoBytes, textTooLarge, textVideoTooLarge } = input.dataset;
    if (file.size <= Number(isPicture ? maxBytes : maxVideoBytes)) return "";
    return (isPicture ? textTooLarge : textVideoTooLarge).replace("{name}", file.name);
  }

  function showRefused() {
    const items = refused.map((sentence) => {
      const item = document.createElement("li");
      item.textContent = sentence;
      return item;
    });
    document.querySelector("[data-upload-refused]")?.replaceChildren(...items);
  }

  document.addEventListener(
    "change",
    (event) => {
      const input = event.target;
      if (!input.matches?.("[data-composer] input[type=file][data-max-bytes]")) return;
      const kept = new DataTransfer();
      refused = [];
      for (const file of input.files) {
        const sentence = refusalOf(input, file);
        if (sentence) refused.push(sentence);
        else kept.items.add(file);
      }
      if (refused.length > 0) input.files = kept.files;
      showRefused();
      // Before HTMX hears of it: there is nothing to send.
      if (kept.files.length === 0) event.stopImmediatePropagation();
    },
    true,
  );

  const sending = () => document.querySelector("[data-upload-progress]");

  document.addEventListener("htmx:xhr:progress", (event) => {
    const input = event.target;
    if (!input.matches?.("[data-composer] input[type=file]") || !sending() || !event.detail.lengthComputable) return;
    const { loaded, total } = event.detail;
    const [bar, words] = sending().children;
    sending().hidden = false;
    if (loaded < total) bar.value = loaded / total;
    else bar.removeAttribute("value");
    words.textContent =
      loaded < total
        ? input.dataset.textSending
            .replace("{percent}", `${Math.round((100 * loaded) / total)} %`)
            .replace("{size}", megabytes(total))
        : input.dataset.textWorking;
  });

  /* A video takes minutes, and people go on writing: what they changed since it was sent outlives the form that comes back. */

  let before = null; // the values when the upload began; null: nothing is being sent
  let changes = new Map();

  const isUpload = (element) => element.matches?.("[data-composer] input[type=file]") ?? false;

  function valuesOf(root) {
    const values = new Map();
    for (const field of root.elements) if (field.name && field.type !== "file") values.set(field.name, []);
    for (const [name, value] of new FormData(root)) values.get(name)?.push(value);
    return values;
  }

  function putBack(root) {
    for (const [name, values] of changes) {
      for (const field of root.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
        else if (field.type !== "hidden" && field.type !== "submit") field.value = values[0] ?? "";
      }
    }
    const strip = root.querySelector(".composer-strip");
    for (const id of [...(changes.get("media") ?? [])].reverse()) {
      const item = strip?.querySelector(`[name=media][value="${CSS.escape(id)}"]`)?.closest("li");
      if (item) strip.prepend(item);
    }
    strip?.dispatchEvent(new CustomEvent("sortable:refresh", { bubbles: true }));
    showChosen(root);
    if (changes.size > 0) root.dispatchEvent(new Event("input", { bubbles: true }));
    changes = new Map();
  }

  function askToWait() {
    const input = form().querySelector("input[type=file]");
    refused = [input.dataset.textWait];
    showRefused();
    input.scrollIntoView({ block: "center" });
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isUpload(event.target)) {
      before = valuesOf(form());
    } else if (before && event.detail.target?.id === "composer") {
      // It would bring a form that knows nothing of the file on its way.
      event.preventDefault();
      askToWait();
    }
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!before || !isUpload(event.detail.requestConfig.elt)) return;
    const now = valuesOf(form());
    const differs = ([name, values]) => before.has(name) && String(before.get(name)) !== String(values);
    changes = new Map([...now].filter(differs));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isUpload(event.detail.requestConfig.elt)) return;
    before = null;
    refused = refused.filter((sentence) => sentence !== event.detail.requestConfig.elt.dataset.textWait);
    if (sending()) sending().hidden = true;
    if (form()) putBack(form());
    showRefused();
  });
  document.addEventListener(
    "submit",
    (event) => {
      if (!before || event.target !== form()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      askToWait();
    },
    true,
  );

  /* --- Shapes: the point that stays visible, by pointer or by its two numbers ---------------------------------------- */

  function showFocus(picker) {
    const point = picker.querySelector("[data-focus-point]");
    const share = (axis) => Math.min(Math.max(Number(picker.querySelector(`[data-focus-axis="${axis}"]`).value) || 0, 0), 100) / 100;
    point.setAttribute("cx", share("x") * Number(picker.dataset.width));
    point.setAttribute("cy", share("y") * Number(picker.dataset.height));
  }

  document.addEventListener("click", (event) => {
    const area = event.target.closest?.("[data-focus-area]");
    if (!area) return;
    const picker = area.closest("[data-focus-picker]");
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(area.getScreenCTM().inverse());
    const percent = (value, most) => Math.round(Math.min(Math.max(value / Number(most), 0), 1) * 100);
    const [x, y] = [picker.querySelector('[data-focus-axis="x"]'), picker.querySelector('[data-focus-axis="y"]')];
    x.value = percent(at.x, picker.dataset.width);
    y.value = percent(at.y, picker.dataset.height);
    showFocus(picker);
    x.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("input", (event) => {
    const picker = event.target.closest?.("[data-focus-picker]");
    if (picker) showFocus(picker);
  });

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

  document.addEventListener("htmx:afterSettle", () => {
    if (form()) follow(form());
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

  /* --- Images: the buttons of one are a single stop of the tab key; the arrow keys go between them ------------------ */

  const toolsOf = (element) => element.closest?.(".composer-picture-tools");
  const KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

  function rove(tools, stop) {
    for (const button of tools.children) button.tabIndex = button === stop ? 0 : -1;
  }

  document.addEventListener("focusin", (event) => {
    const tools = toolsOf(event.target);
    if (tools) rove(tools, event.target);
  });
  document.addEventListener("keydown", (event) => {
    const tools = KEYS[event.key] && toolsOf(event.target);
    if (!tools) return;
    event.preventDefault();
    const buttons = [...tools.children];
    const at = buttons.indexOf(event.target) + KEYS[event.key];
    buttons[Math.max(0, Math.min(at, buttons.length - 1))].focus();
  });

  /* --- What was typed before this file was there: it is checked like everything typed later ------------------------- */

  function isChanged(field) {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.type !== "select-one") return field.defaultValue !== undefined && field.value !== field.defaultValue;
    const first = Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
    return field.selectedIndex !== first;
  }

  function catchUp(root) {
    if (root.dataset.caughtUp) return;
    root.dataset.caughtUp = "yes";
    const fields = [...root.elements].filter((field) => field.name);
    for (const field of fields.filter((one) => one.type === "file" && one.files.length)) {
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    const changed = fields.find((field) => field.type !== "file" && isChanged(field));
    changed?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /* --- Start, and after the form came back changed ----------------------------------------------------------------- */

  function prepare() {
    const root = form();
    if (!root || root.dataset.live) return;
    root.dataset.live = "yes";
    showChosen(root);
    for (const tools of root.querySelectorAll(".composer-picture-tools")) {
      rove(tools, tools.querySelector("button:not([aria-disabled=true])"));
    }
    root.querySelector("[data-focus]")?.focus();
    showRefused();
  }

  document.addEventListener("htmx:load", () => {
    prepare();
    // Not before HTMX listens.
    if (form()) catchUp(form());
  });
  prepare();
})();
