/* The composer's images, videos and documents: dropped, sent, described, put in order. All of it also works without. */
(() => {
  "use strict";

  const form = () => document.querySelector("[data-composer]");

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

  const megabytes = (bytes) => `${(bytes / 1048576).toLocaleString(document.documentElement.lang, { maximumFractionDigits: bytes < 10485760 ? 1 : 0 })} MB`;

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
    const strip = root.querySelector(".composer-pictures");
    for (const id of [...(changes.get("media") ?? [])].reverse()) {
      const item = strip?.querySelector(`[name=media][value="${CSS.escape(id)}"]`)?.closest("li");
      if (item) strip.prepend(item);
    }
    strip?.dispatchEvent(new CustomEvent("sortable:refresh", { bubbles: true }));
    root.dispatchEvent(new CustomEvent("composer:refilled", { bubbles: true }));
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

  /* --- Alternative texts: how long, and which are missing ------------------------------------------------------------- */

  function showAlt(field) {
    const sheet = field.closest("[data-alt-of]");
    sheet.querySelector("[data-count]").textContent = field.value.length;
    const mark = document.getElementById(sheet.dataset.altOf);
    if (mark) mark.dataset.altMark = field.value.trim() ? "yes" : "no";
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-counted]")) showAlt(event.target);
  });
  document.addEventListener("composer:refilled", (event) => {
    for (const field of event.target.querySelectorAll("[data-counted]")) showAlt(field);
  });

  // What lies open over the page is open again when the form came back changed.
  let opened = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "composer") opened = form()?.querySelector(".composer-sheet:popover-open")?.id ?? "";
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (opened) document.getElementById(opened)?.showPopover?.();
    opened = "";
  });

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

  function prepare() {
    const root = form();
    if (!root || root.dataset.mediaLive) return;
    root.dataset.mediaLive = "yes";
    for (const tools of root.querySelectorAll(".composer-picture-tools")) {
      rove(tools, tools.querySelector("button:not([aria-disabled=true])"));
    }
    showRefused();
  }

  document.addEventListener("htmx:load", prepare);
  prepare();
})();
