/* Draws what `analytics/_chart.html` lays down. Colours are those that CSS has resolved, so both schemes come by themselves. */
(() => {
  "use strict";

  const drawn = new Map(); // plot element -> { plot, figure }
  const language = document.documentElement.lang || undefined;
  const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
  const DASHES = [[], [7, 4], [2, 4], [10, 3, 2, 3], [4, 2], [12, 5]];
  const COUNTS = [1, 2, 5].flatMap((one) => Array.from({ length: 13 }, (_, power) => one * 10 ** power)).sort((a, b) => a - b);

  /* --- Words ------------------------------------------------------------------------------------------------------ */

  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 });
  const unit = (name) => new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "narrow", maximumFractionDigits: 1 });
  const time = { second: unit("second"), minute: unit("minute"), hour: unit("hour") };

  function duration(seconds) {
    if (seconds < 90) return time.second.format(seconds);
    if (seconds < 5400) return time.minute.format(seconds / 60);
    return time.hour.format(seconds / 3600);
  }

  function words(value, kind, isShort) {
    if (kind === "percent") return percent.format(value);
    if (kind === "seconds") return duration(value);
    return (isShort && Math.abs(value) >= 10000 ? short : whole).format(value);
  }

  // Short where that still tells one from the next.
  function ticks(splits, kind) {
    const brief = splits.map((value) => words(value, kind, true));
    return new Set(brief).size === brief.length ? brief : splits.map((value) => words(value, kind, false));
  }

  /* --- Scales ----------------------------------------------------------------------------------------------------- */

  // What happens in a span begins at 0; a level shows how it moves, and never claims to be less than nothing.
  function range(lines) {
    const fromZero = !lines.every((line) => line.level);
    return (_plot, low, high) => {
      if (low == null || (low === 0 && high === 0)) return [0, 1];
      if (fromZero) {
        const room = Math.max(high, 0) - Math.min(low, 0) || 1;
        return [low < 0 ? low - room * 0.08 : 0, high > 0 ? high + room * 0.08 : 0];
      }
      const room = Math.max((high - low) * 0.2, Math.abs(high) * 0.004, 2);
      return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
    };
  }

  function stepOf(times) {
    let step = Infinity;
    for (let at = 1; at < times.length; at += 1) step = Math.min(step, times[at] - times[at - 1]);
    return Number.isFinite(step) ? step : 3600;
  }

  // As many words below the axis as have room, always of times that there are.
  function labelled(plot, data) {
    const widest = Math.max(...data.axis.map((word) => word.length)) * 7 + 22;
    const every = Math.max(1, Math.ceil(data.times.length / Math.max(1, Math.floor(plot.bbox.width / devicePixelRatio / widest))));
    const last = data.times.length - 1;
    const shown = data.times.filter((_, at) => (last - at) % every === 0);
    // Readings of a fresh post lie close together, and their words would lie on each other.
    const apart = ((data.times[last] - data.times[0]) * (widest - 22) * devicePixelRatio) / plot.bbox.width;
    let next = Infinity;
    return shown.reverse().filter((at) => (next - at > apart ? ((next = at), true) : false)).reverse();
  }

  /* --- Drawing ---------------------------------------------------------------------------------------------------- */

  // Canvas does not know `light-dark()`; an element does.
  const styleOf = (element) => getComputedStyle(element);

  function options(element, figure, data, size) {
    const swatches = [...figure.querySelectorAll(".chart-swatch")];
    const colour = (at) => styleOf(swatches[at]).color;
    const faint = () => styleOf(element).color;
    const rule = () => styleOf(element).borderTopColor;
    const step = stepOf(data.times);
    const kinds = [...new Set(data.lines.map((line) => line.unit))];
    const bars = uPlot.paths.bars({ size: [0.72, 36], radius: [0.25, 0] });

    const series = data.lines.map((line, at) => ({
      label: line.word,
      scale: line.unit,
      stroke: () => colour(at),
      fill: line.bars ? () => colour(at) : undefined,
      width: line.bars ? 0 : line.before ? 1.5 : 2,
      dash: line.before ? [3, 4] : line.bars ? undefined : DASHES[at % DASHES.length],
      paths: line.bars ? bars : undefined,
      alpha: line.before ? 0.75 : 1,
      gaps: line.bars ? undefined : (plot, _at, _from, _to, gaps) => parted(plot, data, gaps),
      points: {
        show: line.bars ? false : () => true,
        size: 6,
        width: 0,
        fill: () => colour(at),
        filter: (_plot, _at, show) => (show ? lonely(line.values, data) : null),
      },
    }));

    return {
      width: size.width,
      height: size.height,
      padding: [10, 20, 0, 4],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: {
          show: (_plot, at) => (data.lines[at - 1].bars ? null : document.createElement("div")),
          size: 10,
          width: 2,
          fill: (_plot, at) => colour(at - 1),
          stroke: () => styleOf(element).outlineColor,
        },
      },
      scales: {
        x: { time: false, range: (_plot, low, high) => [low - step * 0.6, high + step * 0.6] },
        ...Object.fromEntries(kinds.map((kind) => [kind, { range: range(data.lines.filter((line) => line.unit === kind)) }])),
      },
      axes: [
        {
          stroke: faint,
          font: FONT,
          size: 30,
          gap: 8,
          grid: { show: false },
          ticks: { show: false },
          splits: (plot) => labelled(plot, data),
          values: (_plot, splits) => splits.map((at) => data.axis[data.times.indexOf(at)]),
        },
        ...kinds.slice(0, 2).map((kind, at) => ({
          scale: kind,
          side: at ? 1 : 3,
          stroke: faint,
          font: FONT,
          gap: 6,
          size: (_plot, values) => Math.max(28, ...(values ?? []).map((value) => (value ?? "").length * 7 + 12)),
          space: 44,
          incrs: kind === "count" ? COUNTS : undefined,
          grid: { show: !at, stroke: rule, width: 1 },
          ticks: { show: false },
          values: (_plot, splits) => ticks(splits, kind),
        })),
      ],
      series: [{}, ...series],
      hooks: {
        drawClear: [(plot) => shade(plot, data, step, rule)],
        draw: [(plot) => mark(plot, data, faint)],
        setCursor: [(plot) => read(plot, element, figure, data)],
      },
    };
  }

  // A figure with none beside it is no line, so it is a dot.
  function lonely(values, data) {
    const found = [];
    for (let at = 0; at < values.length; at += 1) {
      if (values[at] == null) continue;
      const isJoined = (values[at - 1] != null && !data.breaks.includes(at)) || (values[at + 1] != null && !data.breaks.includes(at + 1));
      if (!isJoined || values.length <= 14) found.push(at);
    }
    return found;
  }

  // Over a break nothing is joined.
  function parted(plot, data, gaps) {
    const own = data.breaks.map((at) => [data.times[at - 1], data.times[at]].map((time) => plot.valToPos(time, "x", true)));
    return [...gaps, ...own].sort((one, other) => one[0] - other[0]);
  }

  // Times without a figure are seen as such, not as nothing having happened.
  function shade(plot, data, step, rule) {
    const { ctx, bbox } = plot;
    const shown = data.lines.filter((line) => !line.before);
    ctx.save();
    ctx.fillStyle = rule();
    ctx.globalAlpha = 0.45;
    data.times.forEach((time, at) => {
      if (shown.some((line) => line.values[at] != null)) return;
      const from = Math.max(plot.valToPos(time - step / 2, "x", true), bbox.left);
      const to = Math.min(plot.valToPos(time + step / 2, "x", true), bbox.left + bbox.width);
      ctx.fillRect(Math.round(from), bbox.top, Math.round(to) - Math.round(from), bbox.height);
    });
    ctx.restore();
  }

  function mark(plot, data, faint) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = faint();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const at of data.breaks) {
      const x = Math.round(plot.valToPos((data.times[at - 1] + data.times[at]) / 2, "x", true));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  /* --- Reading: the same words for the eye and for a screen reader -------------------------------------------------- */

  function read(plot, element, figure, data) {
    const at = plot.cursor.idx;
    const when = figure.querySelector("[data-chart-when]");
    when.dataset.span ??= when.textContent;
    const isThere = at != null && plot.cursor.left >= 0;
    when.textContent = isThere ? data.whole[at] : when.dataset.span;
    const values = data.lines.map((line) => (line.values[at] == null ? element.dataset.textMissing : words(line.values[at], line.unit)));
    figure.querySelectorAll("[data-chart-value]").forEach((one, index) => {
      one.textContent = isThere ? values[index] : "";
    });
    if (!isThere) return;
    element.setAttribute("aria-valuenow", String(at + 1));
    element.setAttribute("aria-valuetext", `${data.whole[at]}: ${data.lines.map((line, index) => `${line.word} ${values[index]}`).join("; ")}`);
  }

  function go(plot, data, at) {
    const left = plot.valToPos(data.times[at], "x");
    plot.setCursor({ left, top: plot.bbox.height / devicePixelRatio / 2 });
  }

  document.addEventListener("keydown", (event) => {
    const element = event.target.closest?.(".chart-plot");
    const found = drawn.get(element);
    if (!found || event.altKey || event.ctrlKey || event.metaKey) return;
    const { plot, data } = found;
    const last = data.times.length - 1;
    const now = plot.cursor.left >= 0 && plot.cursor.idx != null ? plot.cursor.idx : null;
    const targets = {
      ArrowLeft: now == null ? last : now - 1,
      ArrowDown: now == null ? last : now - 1,
      ArrowRight: now == null ? 0 : now + 1,
      ArrowUp: now == null ? 0 : now + 1,
      PageUp: (now ?? last) - 7,
      PageDown: (now ?? 0) + 7,
      Home: 0,
      End: last,
    };
    if (event.key === "Escape") plot.setCursor({ left: -10, top: -10 });
    else if (event.key in targets) go(plot, data, Math.min(last, Math.max(0, targets[event.key])));
    else return;
    event.preventDefault();
  });

  document.addEventListener("focusout", (event) => {
    drawn.get(event.target)?.plot.setCursor({ left: -10, top: -10 });
  });

  // uPlot listens to the mouse alone; a finger that slides along reads too, while the page still scrolls up and down.
  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") return;
    const found = drawn.get(event.target.closest?.(".chart-plot"));
    if (!found) return;
    const box = found.plot.over.getBoundingClientRect();
    found.plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top });
  });

  /* --- Life --------------------------------------------------------------------------------------------------------- */

  const sizeOf = (element) => ({ width: Math.max(200, Math.floor(element.clientWidth)), height: element.clientHeight });

  const watcher = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const found = drawn.get(target);
      if (!found || target.clientWidth === 0 || Math.floor(target.clientWidth) === found.plot.width) continue;
      found.plot.setSize(sizeOf(target));
    }
  });

  function draw(element) {
    if (drawn.has(element)) return;
    const figure = element.closest("figure");
    const data = JSON.parse(element.dataset.chart);
    const plot = new uPlot(options(element, figure, data, sizeOf(element)), [data.times, ...data.lines.map((line) => line.values)], element);
    drawn.set(element, { plot, data });
    element.tabIndex = 0;
    element.setAttribute("role", "slider");
    element.setAttribute("aria-label", element.dataset.label);
    element.setAttribute("aria-valuemin", "1");
    element.setAttribute("aria-valuemax", String(data.times.length));
    element.setAttribute("aria-valuenow", String(data.times.length));
    element.setAttribute("aria-valuetext", figure.querySelector("[data-chart-when]").textContent);
    watcher.observe(element);
  }

  function drawAll(root) {
    for (const element of root.querySelectorAll("[data-chart]")) draw(element);
  }

  function redraw() {
    for (const { plot } of drawn.values()) plot.redraw();
  }

  // Networks tell countries by their codes; the browser knows what they are called in the reader's language.
  function nameRegions(root) {
    const names = new Intl.DisplayNames(language, { type: "region", fallback: "code" });
    for (const element of root.querySelectorAll("[data-region]")) {
      const code = element.dataset.region;
      if (/^[A-Z]{2}$/.test(code)) element.textContent = names.of(code);
    }
  }

  drawAll(document);
  nameRegions(document);
  document.addEventListener("htmx:load", (event) => {
    drawAll(event.detail.elt);
    for (const [element, { plot }] of drawn) {
      if (element.isConnected) continue;
      watcher.unobserve(element);
      plot.destroy();
      drawn.delete(element);
    }
  });

  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  // Paper is light and narrow, and what is drawn does not follow by itself.
  const PAPER_WIDTH = 640;
  window.addEventListener("beforeprint", () => {
    for (const [element, { plot }] of drawn) {
      element.closest("figure").dataset.theme = "light";
      plot.setSize({ width: Math.min(plot.width, PAPER_WIDTH), height: 200 });
      plot.redraw();
    }
  });
  window.addEventListener("afterprint", () => {
    for (const [element, { plot }] of drawn) {
      delete element.closest("figure").dataset.theme;
      plot.setSize(sizeOf(element));
      plot.redraw();
    }
  });
})();
