/* The library's pages: uploads one by one with progress, rows of details, placeholders put into a template's text. */
(() => {
  "use strict";

  /* --- Uploads: form[data-upload] with a file input; the plain form works without this ----------------------------

     Each file is a request and a row of its own. Some travel at once; in the set they stand as they were chosen. */

  const AT_ONCE = 3;
  const queues = new Map(); // by form
  const entries = new WeakMap(); // by row

  function button(words, file) {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "button";
    element.dataset.size = "small";
    element.dataset.variant = "quiet";
    element.textContent = words;
    const whose = document.createElement("span");
    whose.className = "visually-hidden";
    whose.textContent = ` ${file.name}`;
    element.append(whose);
    return element;
  }

  function row(form, file) {
    const element = document.createElement("li");
    element.className = "upload-row";
    const name = document.createElement("span");
    name.className = "upload-row-name truncate";
    name.textContent = file.name;
    const state = document.createElement("span");
    state.className = "meta upload-row-state";
    const bar = document.createElement("progress");
    bar.className = "progress";
    bar.max = 1;
    bar.setAttribute("aria-label", file.name);
    const cancel = button(form.dataset.textCancel, file);
    cancel.dataset.uploadCancel = "";
    element.append(name, state, cancel, bar);
    form.querySelector("[data-upload-rows]").append(element);
    return element;
  }

  function wait(form, entry) {
    entry.row ??= row(form, entry.file);
    entry.row.dataset.state = "waiting";
    entry.row.querySelector(".upload-row-state").textContent = form.dataset.textWaiting;
    entry.row.querySelector("progress").value = 0;
  }

  /* again: whether the same file may have more luck */
  function refuse(form, entry, sentence, again) {
    const { row: element, file } = entry;
    element.dataset.refused = "";
    element.dataset.state = "refused";
    const reason = document.createElement("p");
    reason.className = "field-error";
    reason.textContent = sentence;
    const acts = document.createElement("span");
    acts.className = "upload-row-acts";
    if (again) {
      const retry = button(form.dataset.textRetry, file);
      retry.dataset.uploadRetry = "";
      acts.append(retry);
      element.dataset.again = "";
    }
    const dismiss = button(form.dataset.textDismiss, file);
    dismiss.dataset.uploadDismiss = "";
    acts.append(dismiss);
    element.replaceChildren(reason, acts);
  }

  function finish(form, entry) {
    entry.row.dataset.state = "done";
    entry.row.querySelector("[data-upload-cancel]").remove();
    entry.row.querySelector("progress").value = 1;
    entry.row.querySelector(".upload-row-state").textContent = form.dataset.textDone;
  }

  function send(form, entry) {
    return new Promise((resolve) => {
      const input = form.querySelector("input[type=file]");
      const bar = entry.row.querySelector("progress");
      const state = entry.row.querySelector(".upload-row-state");
      const data = new FormData();
      data.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
      data.append(input.name, entry.file);
      const request = new XMLHttpRequest();
      entry.request = request;
      request.open("POST", form.dataset.uploadTo ?? form.action);
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
        entry.row.querySelector("[data-upload-cancel]")?.setAttribute("disabled", ""); // it is there already
      });
      request.addEventListener("loadend", () => resolve(request));
      request.send(data);
    });
  }

  const megabytes = (bytes) => `${(bytes / 1048576).toLocaleString(document.documentElement.lang, { maximumFractionDigits: bytes < 10485760 ? 1 : 0 })} MB`;

  /* Judged before it is sent: nobody should wait ten minutes for a no. */
  function tooLarge(form, file) {
    const isFilm = file.type.startsWith("video/") || /\.(mp4|m4v|mov)$/i.test(file.name);
    const most = isFilm ? form.dataset.maxVideoBytes : form.dataset.maxBytes;
    if (file.size <= Number(most)) return "";
    return isFilm ? form.dataset.textVideoTooLarge : form.dataset.textTooLarge;
  }

  /* The item stands before those that were chosen after it and are there already. */
  function add(form, queue, entry, markup) {
    const holder = document.createElement("template");
    holder.innerHTML = markup;
    const item = holder.content.firstElementChild;
    entry.media = item?.querySelector("input[name=image]")?.value;
    queue.arrived.push(entry);
    const list = document.querySelector(form.dataset.uploadList);
    if (!list || !item) return;
    const there = document.getElementById(item.id); // the list was drawn anew while this was on its way
    if (there) {
      entry.item = there;
      return;
    }
    entry.item = item;
    const later = queue.arrived.filter((other) => other.place > entry.place && other.item?.parentElement === list);
    later.sort((one, other) => one.place - other.place);
    list.insertBefore(item, later[0]?.item ?? null);
    htmx.process(item);
    list.dispatchEvent(new CustomEvent("sortable:refresh", { bubbles: true }));
  }

  function tell(form, queue) {
    const done = queue.added + queue.refused;
    form.querySelector("[data-upload-status]").textContent = form.dataset.textRunning
      .replace("{done}", done)
      .replace("{total}", queue.total);
  }

  async function work(form, queue) {
    while (queue.waiting.length > 0) {
      const entry = queue.waiting.shift();
      const reason = tooLarge(form, entry.file);
      if (reason) {
        refuse(form, entry, `${entry.file.name}: ${reason}`, false);
        queue.refused += 1;
        tell(form, queue);
        continue;
      }
      entry.row.dataset.state = "running";
      reveal(entry.row);
      const request = await send(form, entry);
      if (entry.isCancelled) {
        queue.total -= 1;
        tell(form, queue);
        continue;
      }
      if (request.getResponseHeader("HX-Redirect")) {
        // Signed out: what waits would only be told the same.
        for (const lost of [entry, ...queue.waiting.splice(0)]) {
          refuse(form, lost, `${lost.file.name}: ${form.dataset.textSignedOut}`, false);
          queue.refused += 1;
        }
        document.dispatchEvent(new CustomEvent("session:ended"));
      } else if (request.status === 200) {
        add(form, queue, entry, request.responseText);
        finish(form, entry);
        queue.added += 1;
      } else if (request.status === 422) {
        refuse(form, entry, request.responseText, false);
        queue.refused += 1;
      } else if (request.status === 403 || request.status === 404) {
        const { textForbidden, textGone } = document.body.dataset;
        refuse(form, entry, `${entry.file.name}: ${request.status === 403 ? textForbidden : textGone}`, false);
        queue.refused += 1;
      } else {
        refuse(form, entry, `${entry.file.name}: ${form.dataset.textFailed}`, true);
        queue.refused += 1;
      }
      tell(form, queue);
    }
  }

  /* Only the list of rows scrolls, never the page under somebody's hands. */
  function reveal(element) {
    const list = element.parentElement;
    const hidden = element.offsetTop + element.offsetHeight - list.clientHeight;
    if (hidden > list.scrollTop) list.scrollTop = hidden;
  }

  async function run(form, queue) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => work(form, queue)));
    if (!queues.has(form)) return; // on the way to another page
    if (queue.waiting.length > 0) {
      await run(form, queue);
      return;
    }
    const isInOrder = queue.arrived.every((entry, index, all) => index === 0 || all[index - 1].place < entry.place);
    if (!isInOrder || queue.isReordered) await putInOrder(form, queue);
    queues.delete(form);
    for (const done of form.querySelectorAll('.upload-row[data-state="done"]')) done.remove();
    form.querySelector("[data-upload-status]").textContent = form.dataset.textSummary
      .replace("{added}", queue.added)
      .replace("{refused}", queue.refused);
    form.dispatchEvent(new CustomEvent("upload:end", { bubbles: true, detail: queue }));
  }

  async function putInOrder(form, queue) {
    const list = document.querySelector(form.dataset.uploadList);
    if (list) {
      queue.isOver = true;
      list.dispatchEvent(new CustomEvent("reorder", { bubbles: true }));
      return;
    }
    const data = new FormData();
    data.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    const inOrder = queue.arrived.filter((entry) => entry.media).sort((one, other) => one.place - other.place);
    for (const entry of inOrder) data.append("image", entry.media);
    await fetch(form.dataset.orderTo, { method: "POST", body: data, headers: { "HX-Request": "true" } }).catch(() => null);
  }

  /* again: the entry of a file that is sent once more, to the place that it had among those chosen with it */
  function enqueue(form, files, again) {
    const chosen = [...files];
    if (chosen.length === 0) return;
    const running = queues.get(form);
    const before = again?.queue ?? { arrived: [], placed: 0 };
    const queue = running ?? { ...before, waiting: [], added: 0, refused: 0, total: 0, isOver: false };
    for (const file of chosen) {
      const entry = { file, queue, place: again?.queue.arrived === queue.arrived ? again.place : (queue.placed += 1) };
      queue.total += 1;
      queue.waiting.push(entry);
      wait(form, entry);
      entries.set(entry.row, entry);
    }
    tell(form, queue);
    if (running) return;
    queues.set(form, queue);
    run(form, queue);
  }

  function take(input) {
    enqueue(input.form, input.files);
    input.value = "";
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-upload] input[type=file]")) take(event.target);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-upload-retry-all]")) {
      const { form } = event.target.closest("[data-upload-retry-all]");
      for (const one of form.querySelectorAll("[data-upload-retry]")) one.click();
      form.querySelector("input[type=file]").focus();
      return;
    }
    const pressed = event.target.closest("[data-upload-dismiss], [data-upload-cancel], [data-upload-retry]");
    if (!pressed) return;
    const element = pressed.closest("li");
    const { form } = pressed.closest("form").querySelector("input[type=file]");
    const entry = entries.get(element);
    const queue = queues.get(form);
    if (pressed.matches("[data-upload-cancel]") && queue) {
      entry.isCancelled = true;
      if (queue.waiting.includes(entry)) {
        queue.waiting.splice(queue.waiting.indexOf(entry), 1);
        queue.total -= 1;
        tell(form, queue);
      } else entry.request?.abort();
    }
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    (neighbour?.querySelector("button:not(:disabled)") ?? form.querySelector("input[type=file]")).focus();
    if (!pressed.matches("[data-upload-retry]")) return;
    if (queue) {
      queue.refused -= 1;
      queue.total -= 1;
    }
    enqueue(form, [entry.file], entry);
  });

  // Chosen before this file ran.
  for (const input of document.querySelectorAll("form[data-upload] input[type=file]")) take(input);

  window.addEventListener("beforeunload", (event) => {
    if (queues.size > 0) event.preventDefault();
  });

  /* While files arrive the page does not know all that the set holds: an order is sent when the last one is in. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const list = event.detail.elt;
    if (!list.matches?.("[data-sortable]")) return;
    for (const queue of queues.values()) {
      if (queue.isOver) continue;
      queue.isReordered = true;
      event.preventDefault();
    }
  });

  /* --- A set and its files at once: form[data-upload-new] makes the set with the first request --------------------- */

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-upload-new]")) return;
    event.preventDefault();
    if (queues.has(form) || form.dataset.isMaking) return;
    const fields = [...form.querySelectorAll("input:not([type=hidden])")];
    if (!fields.every((field) => field.reportValidity())) return;
    const input = form.querySelector("input[type=file]");
    if (!form.dataset.uploadTo) {
      const data = new FormData(form);
      data.delete(input.name);
      const options = { method: "POST", body: data, headers: { "HX-Request": "true" } };
      form.dataset.isMaking = "yes";
      const answer = await fetch(form.action, options).catch(() => null);
      delete form.dataset.isMaking;
      if (answer?.headers.get("HX-Redirect")) {
        document.dispatchEvent(new CustomEvent("session:ended"));
        return;
      }
      if (!answer?.headers.get("Content-Type")?.startsWith("application/json")) {
        form.submit(); // the plain form says what is wrong
        return;
      }
      const made = await answer.json();
      form.dataset.uploadTo = made.upload;
      form.dataset.orderTo = made.order;
      form.dataset.next = made.next;
      fields.find((field) => field !== input).readOnly = true;
    }
    const files = [...input.files];
    input.value = "";
    enqueue(form, files);
  });

  document.addEventListener("upload:end", (event) => {
    const form = event.target;
    if (!form.matches("form[data-upload-new]") || event.detail.added === 0) return;
    if (event.detail.refused === 0) {
      location.assign(form.dataset.next);
      return;
    }
    const onwards = document.querySelector("[data-upload-next]");
    onwards.href = form.dataset.next;
    onwards.hidden = false;
    onwards.focus();
  });

  /* --- Dropping files anywhere on the page counts; the zone shows it ---------------------------------------------- */

  const zone = () => document.querySelector("form[data-upload], form[data-upload-new]");
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
    if (zone().matches("[data-upload-new]")) zone().querySelector("input[type=file]").files = event.dataTransfer.files;
    else enqueue(zone(), event.dataTransfer.files);
  });

  /* --- How many pictures say nothing to those who cannot see them; leads to the first of them ----------------------- */

  function tellUndescribed() {
    const place = document.querySelector("[data-undescribed]");
    if (!place) return;
    const all = [...document.querySelectorAll("#set-images-list textarea[name=alt_text]")];
    const empty = all.filter((field) => !field.value.trim());
    place.hidden = all.length === 0;
    if (empty.length === 0) {
      place.textContent = place.dataset.textNone;
      return;
    }
    const link = document.createElement("a");
    link.href = `#${empty[0].id}`;
    link.textContent =
      empty.length === 1 ? place.dataset.textOne : place.dataset.textMany.replace("{number}", empty.length);
    place.replaceChildren(link);
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("#set-images-list textarea")) tellUndescribed();
  });
  document.addEventListener("sortable:refresh", tellUndescribed);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-undescribed] a");
    if (!link) return;
    event.preventDefault();
    const field = document.querySelector(link.hash);
    field.focus();
    field.closest("li").scrollIntoView({ block: "center" });
  });

  /* --- Hashtags as they will stand, and how many: data-hashtags-preview names the field ----------------------------- */

  function tellHashtags(place) {
    const field = document.getElementById(place.dataset.hashtagsPreview);
    const seen = new Map();
    for (const word of field.value.split(/[\s,;#＃]+/)) {
      if (word && !seen.has(word.toLowerCase())) seen.set(word.toLowerCase(), word);
    }
    const chips = [...seen.values()].map((word) => {
      const chip = document.createElement("span");
      chip.className = "chip";
      chip.textContent = `#${word}`;
      return chip;
    });
    place.querySelector("[data-hashtags-chips]").replaceChildren(...chips);
    place.querySelector("[data-hashtags-count]").textContent = (
      seen.size === 1 ? place.dataset.textOne : place.dataset.textMany
    ).replace("{number}", seen.size);
  }

  document.addEventListener("input", (event) => {
    for (const place of document.querySelectorAll("[data-hashtags-preview]")) {
      if (event.target.id === place.dataset.hashtagsPreview) tellHashtags(place);
    }
  });
  for (const place of document.querySelectorAll("[data-hashtags-preview]")) tellHashtags(place);

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
