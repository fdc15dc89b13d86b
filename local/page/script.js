"use strict";
(() => {
  const model = JSON.parse(document.getElementById("model").textContent);
  const by = (id) => document.getElementById(id);
  const WAIT = 120; // ms after the last change
  const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/; // as JSON writes it
  const MOST_STEPS = 120;
  const shown = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
  const signed = (points) => (points > 0 ? "+" : points < 0 ? "−" : "") + Math.abs(points).toFixed(2);

  const make = (tag, attributes = {}, ...children) => {
    const its = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) its.setAttribute(name, value);
    its.append(...children);
    return its;
  };
  const draw = (tag, attributes = {}, text = "") => {
    const its = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) its.setAttribute(name, value);
    its.textContent = text;
    return its;
  };
  const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
  const titleOf = (feature) => capital(feature.description || feature.name.replaceAll("_", " "));
  // As the runtime points to a member: RFC 6901, long names cut.
  const pointerTo = (name) => {
    const letters = Array.from(name);
    const cut = letters.length > 100 ? letters.slice(0, 100).join("") + "..." : name;
    return "/" + cut.replaceAll("~", "~0").replaceAll("/", "~1");
  };

  // ------------------------------------------------------------------ fields

  const form = by("form");
  const fields = model.features.map((feature, i) => {
    const field = make("div", { class: "field" });
    const id = `field-${i}`;
    const label = make("label", { for: id }, titleOf(feature));
    const name = make("span", { class: "name" }, feature.name);
    const said = make("p", { class: "said", id: `${id}-said` });
    const its = { feature, field, said, pointer: pointerTo(feature.name), slider: null };
    field.append(label, name);
    if (feature.type === "number") {
      its.input = make("input", { type: "text", inputmode: "decimal", id, "aria-describedby": said.id });
      if (feature.nullable) its.input.placeholder = "not given";
      field.append(its.input);
      if (feature.range && feature.range[0] < feature.range[1]) addSlider(its);
    } else {
      its.input = make("select", { id, "aria-describedby": said.id });
      const words = feature.type === "boolean" ? ["yes", "no"] : feature.vocabulary;
      words.forEach((word, at) => its.input.append(make("option", { value: at }, word)));
      if (feature.nullable) its.input.append(make("option", { value: "" }, "not given"));
      field.append(its.input);
    }
    field.append(said);
    its.input.addEventListener("input", () => {
      slide(its);
      change();
    });
    its.input.addEventListener("focus", () => choose(its));
    form.append(field);
    return its;
  });

  function addSlider(its) {
    const values = valuesOf(its.feature);
    its.slider = make("input", { type: "range", min: 0, max: values.length - 1, step: 1, tabindex: 0 });
    its.slider.setAttribute("aria-label", `${titleOf(its.feature)}, within its range`);
    its.slider.addEventListener("input", () => {
      its.input.value = String(values[its.slider.value]);
      its.slider.setAttribute("aria-valuetext", its.input.value);
      change();
    });
    its.slider.addEventListener("focus", () => choose(its));
    const [low, high] = its.feature.range;
    const ends = make("div", { class: "ends" }, make("span", {}, shown.format(low)), make("span", {}, shown.format(high)));
    its.field.append(its.slider, ends);
  }

  // The values along a range: each whole number of a short one, else even steps, rounded to the precision of a step.
  function valuesOf(feature) {
    const [low, high] = feature.range;
    const width = high - low;
    if (Number.isInteger(low) && Number.isInteger(high) && width <= MOST_STEPS)
      return Array.from({ length: width + 1 }, (_, i) => low + i);
    const steps = Array.from({ length: MOST_STEPS + 1 }, (_, i) => low + (high - low) * (i / MOST_STEPS));
    const inner = steps.slice(1, -1).map((value) => {
      const unit = 10 ** Math.floor(Math.log10(width / MOST_STEPS));
      const rounded = Number((Math.round(value / unit) * unit).toPrecision(12));
      return Number.isFinite(rounded) && rounded > low && rounded < high ? rounded : value;
    });
    return [low, ...inner, high];
  }

  function slide(its) {
    if (!its.slider) return;
    const [low, high] = its.feature.range;
    const value = NUMBER.test(its.input.value.trim()) ? Number(its.input.value) : low;
    its.slider.value = Math.round(((value - low) / (high - low)) * its.slider.max);
    its.slider.setAttribute("aria-valuetext", its.input.value || "not given");
  }

  function fillOne(its, value) {
    if (its.feature.type === "number") its.input.value = value === null ? "" : String(value);
    else {
      const at = its.feature.type === "boolean" ? [true, false].indexOf(value) : its.feature.vocabulary.indexOf(value);
      its.input.value = at < 0 ? "" : String(at);
    }
    slide(its);
  }

  function fill(values) {
    for (const its of fields) fillOne(its, values ? values[its.feature.name] : null);
  }

  // A field as JSON. A number goes as it was typed, so that no digit is lost; what is no number, as a string.
  function jsonOf(its) {
    const text = its.input.value.trim();
    if (text === "") return "null";
    if (its.feature.type === "boolean") return its.input.value === "0" ? "true" : "false";
    if (its.feature.type === "category") return JSON.stringify(its.feature.vocabulary[Number(text)]);
    return NUMBER.test(text) ? text : JSON.stringify(text);
  }

  function applicantWith(moved, json) {
    const members = fields.map((its) => `${JSON.stringify(its.feature.name)}:${its === moved ? json : jsonOf(its)}`);
    return `{${[`${JSON.stringify(model.id)}:"page"`, ...members].join(",")}}`;
  }

  // ------------------------------------------------------------------ asking

  async function post(path, body, signal) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(path, { method: "POST", headers, body, signal });
    return { ok: answer.ok, content: await answer.json() };
  }

  let timer = 0;
  let asking = new AbortController();
  function change() {
    document.body.classList.add("stale");
    by("curve").setAttribute("aria-busy", "true");
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  }

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const { ok, content } = await post(model.explains ? "predict?explain=all" : "predict", applicantWith(), signal);
      if (signal.aborted) return;
      remark(ok ? content.warnings || [] : content.errors || [], !ok);
      if (ok) {
        show(content);
        document.body.classList.remove("stale");
        await askCurve(signal, content.credit_score);
        if (!signal.aborted) by("curve").setAttribute("aria-busy", "false");
      } else complain(content.errors ? "This applicant cannot be scored: see the marked fields." : content.detail);
    } catch (fault) {
      if (!signal.aborted) complain(`The server did not answer: ${fault.message}`);
    }
  }

  function complain(text) {
    by("problem").textContent = text;
    by("problem").hidden = false;
  }

  function remark(entries, areErrors) {
    const rest = [];
    for (const its of fields) {
      its.said.textContent = "";
      its.field.classList.remove("wrong");
      its.input.removeAttribute("aria-invalid");
    }
    for (const { pointer, detail } of entries) {
      const its = fields.find((field) => field.pointer === pointer);
      if (!its) {
        rest.push(detail);
        continue;
      }
      its.said.textContent = capital(detail);
      if (areErrors) {
        its.field.classList.add("wrong");
        its.input.setAttribute("aria-invalid", "true");
      }
    }
    by("problem").textContent = rest.join("; ");
    by("problem").hidden = !rest.length;
  }

  // ------------------------------------------------------------------ the answer

  const percent = (p) => {
    const text = (100 * p).toPrecision(3);
    return `${text.includes("e") ? Number(text) : text} %`;
  };

  function show(answer) {
    by("score").textContent = answer.credit_score.toFixed(1);
    by("score").dataset.exact = answer.credit_score;
    by("band").textContent = answer.grade === undefined ? answer.score_band : `${answer.score_band}, grade ${answer.grade}`;
    by("probability").textContent = percent(answer.default_probability);
    by("probability").dataset.exact = answer.default_probability;
    showScale(answer.credit_score);
    by("reasons").hidden = !answer.reasons;
    if (answer.reasons) showReasons(answer);
  }

  function showScale(score) {
    const first = model.bands[0];
    const last = model.bands.at(-1);
    const width = 440;
    const x = (points) => Math.min(Math.max((points - first) / (last - first), 0), 1) * width;
    const svg = draw("svg", { viewBox: `-8 0 ${width + 16} 40`, role: "img" });
    svg.setAttribute("aria-label", `${score.toFixed(1)} on a scale of bands from ${first} to ${last}`);
    model.bands.slice(0, -1).forEach((edge, i) => {
      const next = model.bands[i + 1];
      const is = score >= edge && (score < next || (i === model.bands.length - 2 && score <= next));
      const attributes = { x: x(edge) + 0.75, y: 10, width: Math.max(x(next) - x(edge) - 1.5, 0.5), height: 9 };
      svg.append(draw("rect", { ...attributes, rx: 2, class: is ? "track is" : "track" }));
    });
    svg.append(draw("circle", { cx: x(score), cy: 14.5, r: 5.5, class: "here" }));
    svg.append(draw("text", { x: 0, y: 35 }, shown.format(first)));
    svg.append(draw("text", { x: width, y: 35, "text-anchor": "end" }, shown.format(last)));
    by("scale").replaceChildren(svg);
  }

  // A text may be there in several languages.
  const inWords = (text) =>
    typeof text === "string" ? text : Object.entries(text).map(([tag, its]) => (tag ? `${tag}: ${its}` : its)).join(" · ");

  function showReasons(answer) {
    const basis = answer.reasons_basis;
    const rows = `${shown.format(basis.reference_rows)} reference applicants (${basis.reference})`;
    by("basis").textContent = `${basis.note ? `${capital(basis.note)}. ` : ""}Compared with ${rows}: ${basis.method}.`;
    const named = answer.reasons.map((reason) => {
      const about = [reason.code, reason.name];
      if ("value" in reason) about.push(reason.value === null ? "not given" : `value ${JSON.stringify(reason.value)}`);
      const text = make("span", {}, inWords(reason.text));
      const points = make("span", { class: "points" }, signed(reason.points));
      return make("li", {}, text, points, make("span", { class: "about" }, about.filter(Boolean).join(" · ")));
    });
    if (!named.length) named.push(make("li", {}, make("span", {}, "No feature costs this applicant points.")));
    by("named").replaceChildren(...named);
    const points = Object.entries(answer.points).sort((one, other) => one[1] - other[1]);
    const lowest = Math.min(0, ...points.map((each) => each[1]));
    const width = Math.max(0, ...points.map((each) => each[1])) - lowest || 1;
    const bars = points.map(([name, each]) => {
      const fill = make("i");
      fill.style.left = `${(100 * (Math.min(each, 0) - lowest)) / width}%`;
      fill.style.width = `${(100 * Math.abs(each)) / width}%`;
      const bar = make("span", { class: "bar", "aria-hidden": "true" }, fill);
      bar.style.setProperty("--zero", `${(-100 * lowest) / width}%`);
      const feature = model.features.find((one) => one.name === name); // else a row maximum, or a group
      const label = titleOf(feature || { name });
      const value = make("span", { class: "points" }, signed(each));
      return make("li", { class: each < 0 ? "cost" : "gain", title: name }, make("span", {}, label), bar, value);
    });
    const sum = (text, value) =>
      make("li", { class: "sum" }, make("span", {}, text), make("span"), make("span", { class: "points" }, value.toFixed(2)));
    bars.unshift(sum("Mean of the reference", answer.base_points));
    if (basis.adds_up) bars.push(sum("Score", answer.credit_score));
    by("bars").replaceChildren(...bars);
    by("hints").hidden = !answer.hints;
    if (answer.hints) showHints(answer);
  }

  // Hints of a model that gives them; a click makes the change.
  function showHints({ hints, hints_basis: basis }) {
    const band = basis.score_band ? `The next band up is ${basis.score_band}. ` : "";
    by("hints-note").textContent = `${band}${capital(basis.note)}.`;
    const changes = hints.map((hint) => {
      const its = fields.find((field) => field.feature.name === hint.name);
      const value = its.feature.type === "boolean" ? (hint.to ? "yes" : "no") : String(hint.to);
      const button = make("button", { type: "button", title: "Make this change" }, `${titleOf(its.feature)}: ${value}`);
      button.addEventListener("click", () => {
        fillOne(its, hint.to);
        change();
      });
      const score = make("span", { class: "points" }, hint.credit_score.toFixed(1));
      return make("li", {}, button, score, make("span", { class: "about" }, `${hint.name} · ${hint.score_band}`));
    });
    by("changes").replaceChildren(...changes);
  }

  // ------------------------------------------------------------------ the curve

  const moved = by("moved");
  fields.forEach((its, i) => {
    if (its.feature.type !== "number" || its.slider) moved.append(make("option", { value: i }, titleOf(its.feature)));
  });
  moved.addEventListener("change", change);
  function choose(its) {
    const value = String(fields.indexOf(its));
    if (moved.value === value || !Array.from(moved.options).some((option) => option.value === value)) return;
    moved.value = value;
    change();
  }

  async function askCurve(signal, score) {
    const its = fields[moved.value];
    if (!its) return;
    const { feature } = its;
    const values = feature.type === "number" ? valuesOf(feature) : feature.type === "boolean" ? [true, false] : feature.vocabulary.slice();
    const all = feature.nullable ? [...values, null] : values;
    const applicants = all.map((value) => applicantWith(its, JSON.stringify(value)));
    const scores = [];
    for (let first = 0; first < applicants.length; first += model.batch) {
      const some = applicants.slice(first, first + model.batch);
      const { ok, content } = await post("predict/batch", `{"applicants":[${some.join(",")}]}`, signal);
      if (signal.aborted) return;
      if (!ok) return complain(content.detail);
      scores.push(...content.answers.map((answer) => ("credit_score" in answer ? answer.credit_score : NaN)));
    }
    drawCurve(its, values, scores, score);
  }

  function drawCurve(its, values, scores, score) {
    const { feature } = its;
    const along = scores.slice(0, values.length);
    const missing = feature.nullable ? scores[values.length] : NaN;
    const isNumber = feature.type === "number";
    const known = [...along, score, missing].filter(Number.isFinite);
    const low = Math.min(...known);
    const high = Math.max(...known);
    const room = Math.max((high - low) * 0.08, 3);
    const [width, height, left, bottom] = [440, 230, 38, isNumber ? 24 : 74];
    const x = (place) => left + 6 + place * (width - left - 12);
    const y = (points) => 8 + (1 - (points - low + room) / (high - low + 2 * room)) * (height - bottom - 8);
    const at = (i) =>
      isNumber ? (values[i] - values[0]) / (values.at(-1) - values[0]) : values.length > 1 ? i / (values.length - 1) : 0.5;
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
    const said = `${titleOf(feature)}: the score goes from ${along[0].toFixed(1)} at ${valueText(feature, values[0])} to ${along.at(-1).toFixed(1)} at ${valueText(feature, values.at(-1))}; lowest ${Math.min(...along).toFixed(1)}, highest ${Math.max(...along).toFixed(1)}`;
    svg.setAttribute("aria-label", said);
    svg.append(draw("line", { x1: left, x2: width, y1: height - bottom, y2: height - bottom, class: "axis" }));
    for (const edge of model.bands) {
      if (edge < low - room || edge > high + room) continue;
      svg.append(draw("line", { x1: left, x2: width, y1: y(edge), y2: y(edge), class: "limit" }));
      svg.append(draw("text", { x: left - 5, y: y(edge) + 4, "text-anchor": "end" }, shown.format(edge)));
    }
    if (isNumber) {
      const path = along.map((points, i) => `${i ? "L" : "M"}${x(at(i)).toFixed(2)} ${y(points).toFixed(2)}`).join("");
      svg.append(draw("path", { d: path, class: "line" }));
      for (const place of [0, 0.5, 1]) {
        const value = values[0] + (values.at(-1) - values[0]) * place;
        const anchor = ["start", "middle", "end"][2 * place];
        svg.append(draw("text", { x: x(place), y: height - 7, "text-anchor": anchor }, shown.format(value)));
      }
    } else {
      values.forEach((value, i) => {
        const dot = draw("circle", { cx: x(at(i)), cy: y(along[i]), r: 3.5, class: "dot" });
        dot.append(draw("title", {}, `${valueText(feature, value)}: ${along[i].toFixed(1)}`));
        svg.append(dot);
        if (values.length > 24) return;
        const text = Array.from(valueText(feature, value));
        const label = text.length > 16 ? `${text.slice(0, 15).join("")}…` : text.join("");
        const place = { x: x(at(i)) + 3, y: height - bottom + 13, "text-anchor": "end" };
        svg.append(draw("text", { ...place, transform: `rotate(-38 ${place.x} ${place.y})` }, label));
      });
    }
    const text = its.input.value.trim();
    const given = Number(text); // of a select, the position of its option
    if (text !== "" && Number.isFinite(given)) {
      const place = isNumber ? (given - values[0]) / (values.at(-1) - values[0]) : at(given);
      if (place >= 0 && place <= 1) svg.append(draw("circle", { cx: x(place), cy: y(score), r: 5, class: "here" }));
    }
    by("curve").replaceChildren(svg);
    by("curve").dataset.scores = JSON.stringify(along);
    by("curve-note").textContent =
      `Scores from ${Math.min(...along).toFixed(1)} to ${Math.max(...along).toFixed(1)}` +
      (Number.isFinite(missing) ? `; ${missing.toFixed(1)} where not given` : "") +
      ". Dashed lines are limits of bands; the other features stay as they are.";
  }

  const valueText = (feature, value) =>
    feature.type === "boolean" ? (value ? "yes" : "no") : feature.type === "number" ? shown.format(value) : value;

  // ------------------------------------------------------------------ start

  form.addEventListener("submit", (event) => event.preventDefault());
  by("again").addEventListener("click", () => {
    fill(model.typical);
    change();
  });
  by("empty").addEventListener("click", () => {
    fill(null);
    change();
  });
  by("version").textContent = model.version;
  document.title = `Score an applicant: model ${model.version}`;
  fill(model.typical);
  ask();
})();
