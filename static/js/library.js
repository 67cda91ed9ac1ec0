/* The library's pages: uploads one by one with progress, rows of details, placeholders put into a template's text. */
(() => {
  "use strict";

  /* --- Uploads: form[data-upload] with a file input; the plain form works without this ---------------------------- */

  const queues = new WeakMap();

  function row(form, file) {
    const element = document.createElement("li");
    element.className = "upload-row";
    const name = document.createElement("span");
    name.className = "upload-row-name truncate";
    name.textContent = file.name;
    const state = document.createElement("span");
    state.className = "meta upload-row-state";
    state.textContent = form.dataset.textWaiting;
    const bar = document.createElement("progress");
    bar.className = "progress";
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    element.append(name, state, bar);
    form.querySelector("[data-upload-rows]").append(element);
    return element;
  }

  function refuse(form, element, sentence) {
    element.dataset.refused = "";
    const reason = document.createElement("p");
    reason.className = "field-error";
    reason.textContent = sentence;
    const dismiss = document.createElement("button");
    dismiss.type = "button";
    dismiss.className = "icon-button";
    dismiss.dataset.size = "small";
    dismiss.dataset.uploadDismiss = "";
    dismiss.setAttribute("aria-label", form.dataset.textDismiss);
    dismiss.textContent = "×";
    element.replaceChildren(reason, dismiss);
  }

  function send(form, file, element) {
    return new Promise((resolve) => {
      const input = form.querySelector("input[type=file]");
      const bar = element.querySelector("progress");
      const state = element.querySelector(".upload-row-state");
      const data = new FormData();
      data.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
      data.append(input.name, file);
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("HX-Request", "true");
      request.upload.addEventListener("progress", (event) => {
        if (!event.lengthComputable) return;
        bar.value = event.loaded / event.total;
        state.textContent = form.dataset.textProgress
          .replace("{percent}", `${Math.round((100 * event.loaded) / event.total)} %`)
          .replace("{size}", megabytes(event.total));
      });
      request.upload.addEventListener("load", () => {
        bar.removeAttribute("value");
        state.textContent = form.dataset.textWorking;
      });
      request.addEventListener("loadend", () => resolve(request));
      request.send(data);
    });
  }

  const megabytes = (bytes) => `${(bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0)} MB`;

  /* Judged before it is sent: nobody should wait ten minutes for a no. */
  function tooLarge(form, file) {
    const isFilm = file.type.startsWith("video/") || /\.(mp4|m4v|mov)$/i.test(file.name);
    const most = isFilm ? form.dataset.maxVideoBytes : form.dataset.maxBytes;
    if (file.size <= Number(most)) return "";
    return isFilm ? form.dataset.textVideoTooLarge : form.dataset.textTooLarge;
  }

  function add(form, markup) {
    const list = document.querySelector(form.dataset.uploadList);
    const holder = document.createElement("template");
    holder.innerHTML = markup;
    const items = [...holder.content.children];
    list.append(...items);
    for (const item of items) htmx.process(item);
    list.dispatchEvent(new CustomEvent("sortable:refresh", { bubbles: true }));
  }

  async function work(form, queue) {
    while (queue.waiting.length > 0) {
      const [file, element] = queue.waiting.shift();
      const reason = tooLarge(form, file);
      if (reason) {
        refuse(form, element, `${file.name}: ${reason}`);
        queue.refused += 1;
        continue;
      }
      // One after the other: the files keep the order in which they were chosen.
      const request = await send(form, file, element);
      const elsewhere = request.getResponseHeader("HX-Redirect");
      if (elsewhere) {
        location.assign(elsewhere);
        return;
      }
      if (request.status === 200) {
        add(form, request.responseText);
        element.remove();
        queue.added += 1;
      } else {
        const said = request.status === 422 ? request.responseText : `${file.name}: ${form.dataset.textFailed}`;
        refuse(form, element, said);
        queue.refused += 1;
      }
    }
    form.querySelector("[data-upload-status]").textContent = form.dataset.textSummary
      .replace("{added}", queue.added)
      .replace("{refused}", queue.refused);
    queues.delete(form);
  }

  function enqueue(form, files) {
    const chosen = [...files];
    if (chosen.length === 0) return;
    const running = queues.get(form);
    const queue = running ?? { waiting: [], added: 0, refused: 0 };
    queue.waiting.push(...chosen.map((file) => [file, row(form, file)]));
    if (running) return;
    queues.set(form, queue);
    work(form, queue);
  }

  function take(input) {
    enqueue(input.form, input.files);
    input.value = "";
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-upload] input[type=file]")) take(event.target);
  });

  document.addEventListener("click", (event) => {
    event.target.closest("[data-upload-dismiss]")?.closest("li").remove();
  });

  // Chosen before this file ran.
  for (const input of document.querySelectorAll("form[data-upload] input[type=file]")) take(input);

  window.addEventListener("beforeunload", (event) => {
    const isBusy = [...document.querySelectorAll("form[data-upload]")].some((form) => queues.has(form));
    if (isBusy) event.preventDefault();
  });

  /* --- Dropping files anywhere on the page counts; the zone shows it ---------------------------------------------- */

  const zone = () => document.querySelector("form[data-upload]");
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event) || !zone()) return;
    event.preventDefault();
    zone().dataset.over = "";
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) delete zone()?.dataset.over;
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event) || !zone()) return;
    event.preventDefault();
    delete zone().dataset.over;
    enqueue(zone(), event.dataTransfer.files);
  });

  /* --- After an image was removed the focus goes to its neighbour -------------------------------------------------- */

  let removed = null;

  document.addEventListener("htmx:beforeRequest", (event) => {
    const item = event.detail.elt.matches?.("[data-image-remove]") && event.detail.elt.closest("li");
    removed = item ? [...item.parentElement.children].indexOf(item) : null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (removed === null) return;
    const buttons = document.querySelectorAll("[data-image-remove] button");
    (buttons[Math.min(removed, buttons.length - 1)] ?? zone()?.querySelector("input[type=file]"))?.focus();
    removed = null;
  });

  /* --- Rows of details --------------------------------------------------------------------------------------------- */

  function emptyCopy(of) {
    const copy = of.cloneNode(true);
    for (const input of copy.querySelectorAll("input")) {
      input.value = "";
      input.removeAttribute("value");
    }
    return copy;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-details-add], [data-details-remove]");
    if (!button) return;
    const details = button.closest("[data-details]");
    const rows = details.querySelectorAll("[data-details-row]");
    if (button.matches("[data-details-add]")) {
      if (rows.length >= Number(details.dataset.maxRows)) return;
      const fresh = emptyCopy(rows[rows.length - 1]);
      rows[rows.length - 1].after(fresh);
      fresh.querySelector("input").focus();
      return;
    }
    const gone = button.closest("[data-details-row]");
    const neighbour = gone.nextElementSibling?.matches("[data-details-row]")
      ? gone.nextElementSibling
      : gone.previousElementSibling;
    if (rows.length === 1) gone.replaceWith(emptyCopy(gone));
    else gone.remove();
    (neighbour ?? details).querySelector("input")?.focus();
  });

  /* --- Placeholders: data-insert="{title}" data-insert-into="id of a textarea" -------------------------------------- */

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    const field = button && document.getElementById(button.dataset.insertInto);
    if (!field) return;
    field.focus();
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
