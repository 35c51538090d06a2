// The explorer: looks up the profile that was chosen, draws it and says its numbers.
(function () {
  "use strict";
  const source = document.getElementById("explorer-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const level = `${Math.round(100 * data.ci_prob)}% CrI`;
  const helped = data.treatment ? "P(\u200bbenefit)" : "P(\u200bhigher)";
  const at = (id) => document.getElementById(`explorer-${id}`);
  const SCALE = 10000;
  const COHORT = "cohort";
  const SYMBOLS = ["circle", "square", "triangle", "diamond", "triangle2", "plus"];
  const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9"];
  const state = { endpoint: 0, model: 0, cohort: false, difference: false, chosen: {} };

  // --- numbers, in the report's one style ---
  const MINUS = "\u2212", TO = "\u2013";
  const sign = (text) => text.replace("-", MINUS).replace(/^\u2212(0(\.0+)?)$/, "$1");
  const fixed = (value, places) => sign(value.toFixed(places));
  const percent = (x) => (x < 0.01 ? "<1%" : x > 0.99 ? ">99%" : `${(100 * x).toFixed(0)}%`);
  const survival = (x) => (x === 1 ? "100%" : percent(x));
  const points = (x) => fixed(100 * x, 1);
  const time = (x) => (x === null ? "not reached" : fixed(x, Math.abs(x) < 1000 ? 1 : 0));
  const count = (x) => String(Number(x.toPrecision(6)));

  function ratio(x) {
    if (x < 0.001) return "<0.001";
    if (x < 0.0995) return x.toPrecision(2);
    return x >= 9999.5 ? ">9999" : x.toFixed(x < 9.995 ? 2 : x < 99.95 ? 1 : 0);
  }

  function probability(x) {
    if (x < 0.001) return "<0.001";
    if (x > 0.999) return ">0.999";
    return x.toFixed(x >= 0.0095 && x <= 0.9905 ? 2 : 3);
  }

  function duration(model, x) {
    return `${count(x)} ${x === 1 ? model.unit.replace(/s$/, "") : model.unit}`;
  }

  function interval(lower, upper) {
    const between = /[\u2212a-z<>]/.test(lower + upper) ? " to " : TO;
    return `${lower}${between}${upper}`;
  }

  // --- what is chosen ---
  const endpoint = () => data.endpoints[state.endpoint];
  const model = () => endpoint().models[state.model];

  function position(covariate) {
    const found = covariate.choices.indexOf(state.chosen[covariate.name]);
    return found < 0 ? covariate.start : found;
  }

  function unpacked(series) {
    let sum = 0;
    return series.split(",").map((step) => (sum += Number(step)) / SCALE);
  }

  function current() {
    const shown = model();
    const whole = state.cohort && shown.covariates.length > 0;
    const key = whole ? COHORT : shown.covariates.map(position).join("-");
    const profile = shown.profiles[key];
    const look = (found) => ({ ...found, parts: found.survival.map(unpacked) });
    return {
      model: shown,
      whole: whole || !shown.covariates.length,
      curves: profile.curves.map((i) => look(shown.curves[i])),
      contrasts: profile.contrasts.map((i) => look(shown.contrasts[i])),
    };
  }

  function patient(view) {
    if (view.whole) return "all patients of the cohort, averaged";
    return view.model.covariates
      .map((each) => `${each.label} ${each.choices[position(each)]}`)
      .join(", ");
  }

  // --- controls ---
  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function control(id, label, options, selected, change) {
    const select = element("select", { id: `explorer-${id}`, name: id });
    options.forEach((option, i) =>
      select.append(element("option", { value: i, textContent: option, selected: i === selected }))
    );
    select.addEventListener("change", () => change(select.selectedIndex));
    const named = element("label", { htmlFor: select.id, textContent: label });
    return element("div", { className: "control" }, named, select);
  }

  function controls() {
    const shown = model();
    const made = [];
    if (data.endpoints.length > 1) {
      const names = data.endpoints.map((each) => each.label);
      made.push(control("endpoint", "Endpoint", names, state.endpoint, chooseEndpoint));
    }
    if (endpoint().models.length > 1) {
      const names = endpoint().models.map((each) => each.label);
      made.push(control("model", "Model", names, state.model, (i) => again(() => (state.model = i))));
    }
    if (shown.covariates.length) {
      const whom = ["One patient", "Cohort, averaged"];
      made.push(control("whom", "Patients", whom, Number(state.cohort), (i) => {
        state.cohort = i === 1;
        draw();
      }));
    }
    for (const each of shown.covariates) {
      made.push(control(`covariate-${each.name}`, each.label, each.choices, position(each), (i) => {
        state.chosen[each.name] = each.choices[i];
        state.cohort = false;
        at("whom").selectedIndex = 0;
        draw();
      }));
    }
    if (shown.arms.length > 1) made.push(checkbox());
    at("controls").replaceChildren(...made);
  }

  function checkbox() {
    const box = element("input", { type: "checkbox", id: "explorer-show", checked: state.difference });
    box.addEventListener("change", () => {
      state.difference = box.checked;
      draw();
    });
    const named = element("label", { htmlFor: box.id, textContent: "Show the difference" });
    return element("div", { className: "control check" }, box, named);
  }

  function chooseEndpoint(i) {
    again(() => {
      const name = model().name;
      state.endpoint = i;
      state.model = Math.max(0, endpoint().models.findIndex((each) => each.name === name));
    });
  }

  function again(change) {
    const focused = document.activeElement && document.activeElement.id;
    change();
    controls();
    const same = focused && document.getElementById(focused);
    if (same) same.focus();
    draw();
  }

  // --- pictures ---
  const colour = (i) => `var(--arm-${i % 6}, ${COLOURS[i % 6]})`;
  const symbol = (i) => SYMBOLS[(i + Math.floor(i / 6)) % 6];

  function rows(view, parts, end) {
    const [middle, lower, upper] = parts;
    return view.model.time.map((t, i) => ({
      time: t, middle: middle[i], lower: lower[i], upper: upper[i], beyond: t > end + 1e-9,
    }));
  }

  function band(found, i) {
    const known = found.filter((row) => !row.beyond);
    const beyond = found.filter((row, j) => row.beyond || (found[j + 1] && found[j + 1].beyond));
    const line = { x: "time", y: "middle", stroke: colour(i), strokeWidth: 2.25 };
    return [
      Plot.areaY(found, { x: "time", y1: "lower", y2: "upper", fill: colour(i), fillOpacity: 0.18 }),
      Plot.lineY(known, line),
      Plot.lineY(beyond, { ...line, strokeDasharray: "5 4" }),
    ];
  }

  function frame(view, width, height, y, right) {
    const narrow = width < 520;
    return {
      width, height, marginLeft: 46, marginRight: right, marginBottom: 40, marginTop: 22,
      style: { fontSize: narrow ? "12px" : "13px", fontFamily: "inherit", background: "none" },
      x: {
        domain: [0, view.model.time[view.model.time.length - 1]], label: null,
        ticks: narrow ? view.model.ticks.filter((_, i) => i % 2 === 0) : view.model.ticks,
        tickFormat: count,
      },
      y,
    };
  }

  function endMark(view, top, named) {
    const last = view.model.time[view.model.time.length - 1];
    const left = view.model.end > last / 2;
    const near = { x: [view.model.end], y: [top], text: ["end of follow-up"], className: "quiet" };
    const rule = { stroke: "var(--muted, #5b6470)", strokeDasharray: "1 3" };
    if (!named) return [Plot.ruleX([view.model.end], rule)];
    return [
      Plot.ruleX([view.model.end], rule),
      Plot.text(near.x, {
        x: near.x, y: near.y, text: near.text, className: "quiet", fontSize: 11, dy: -10,
        textAnchor: left ? "end" : "start",
      }),
    ];
  }

  function axisNames(view, width, height, name) {
    return [
      Plot.text([name], {
        text: [name], frameAnchor: "top-left", dx: -42, dy: -20, className: "quiet", fontSize: 12,
      }),
      Plot.text([view.model.unit], {
        text: [`${view.model.unit} since the start of follow-up`], frameAnchor: "bottom", dy: 38,
        className: "quiet", fontSize: 12,
      }),
    ];
  }

  function endLabels(view) {
    const gap = 0.075;
    const placed = view.model.arms
      .map((name, i) => ({ name, y: view.curves[i].parts[0].at(-1) }))
      .sort((a, b) => a.y - b.y);
    placed.forEach((each, i) => {
      if (i) each.y = Math.max(each.y, placed[i - 1].y + gap);
    });
    const x = view.model.time[view.model.time.length - 1];
    return Plot.text(placed, { x: () => x, y: "y", text: "name", textAnchor: "start", dx: 10 });
  }

  function tip(view) {
    const lines = view.model.time.map((t, i) => ({
      time: t,
      top: Math.max(...view.curves.map((curve) => curve.parts[0][i])),
      text: [duration(view.model, Number(t.toFixed(1)))]
        .concat(view.curves.map((curve, arm) => `${view.model.arms[arm]}: ${share(curve.parts, i)}`))
        .join("\n"),
    }));
    const over = Plot.pointerX({ x: "time", y: "top", title: "text" });
    return [
      Plot.ruleX(lines, Plot.pointerX({ x: "time", stroke: "var(--muted, #5b6470)", strokeWidth: 1 })),
      Plot.tip(lines, over),
    ];
  }

  function share([middle, lower, upper], i) {
    return `${survival(middle[i])} (${interval(survival(lower[i]), survival(upper[i]))})`;
  }

  function survivalPlot(view, width) {
    const wide = width >= 640 && view.model.arms.length > 1;
    const height = Math.round(Math.min(420, Math.max(270, 0.56 * width)));
    const longest = Math.max(...view.model.arms.map((name) => name.length));
    const right = wide ? Math.min(190, 24 + 7.2 * longest) : 14;
    const y = { domain: [0, 1], ticks: 5, tickFormat: "%", label: null, grid: true };
    const marks = view.curves.flatMap((curve, i) =>
      band(rows(view, curve.parts, view.model.ends[i]), i)
    );
    const spots = view.curves.flatMap((curve, arm) =>
      view.model.milestones.map((i) => ({ arm, time: view.model.time[i], y: curve.parts[0][i] }))
    );
    const dots = view.model.arms.map((_, arm) =>
      Plot.dot(spots.filter((spot) => spot.arm === arm), {
        x: "time", y: "y", r: 4.5, symbol: symbol(arm), fill: colour(arm), stroke: "var(--paper, #fff)",
      })
    );
    at("legend").hidden = view.model.arms.length < 2;
    return Plot.plot({
      ...frame(view, width, height, y, right),
      marks: [
        Plot.ruleY([0.5], { stroke: "var(--line, #d5dae0)", strokeWidth: 1.5, strokeDasharray: "2 3" }),
        Plot.ruleY([0]),
        ...endMark(view, 1, true), ...marks, ...dots, ...(wide ? [endLabels(view)] : []),
        ...axisNames(view, width, height, "Survival"), ...tip(view),
      ],
    });
  }

  function differencePlot(view, width) {
    const height = Math.round(Math.min(260, Math.max(200, 0.34 * width)));
    const right = width >= 640 ? Math.min(190, 24 + 7.2 * Math.max(...view.model.arms.map((a) => a.length))) : 14;
    const every = view.contrasts.flatMap((each) => [...each.parts[1], ...each.parts[2], 0]);
    const y = {
      domain: d3.nice(Math.min(...every), Math.max(...every), 5), ticks: 5, label: null, grid: true,
      tickFormat: (x) => points(x).replace(/\.0$/, ""),
    };
    const marks = view.contrasts.flatMap((each, i) => band(rows(view, each.parts, view.model.end), i + 1));
    return Plot.plot({
      ...frame(view, width, height, y, right),
      marks: [
        Plot.ruleY([0], { stroke: "currentColor" }), ...endMark(view, y.domain[1], false), ...marks,
        ...axisNames(view, width, height, "Difference in survival, percentage points"),
      ],
    });
  }

  function legend(view) {
    const items = view.model.arms.map((name, i) => {
      const path = d3.symbol(d3[`symbol${symbol(i)[0].toUpperCase()}${symbol(i).slice(1)}`], 60)();
      const mark = d3.create("svg").attr("width", 30).attr("height", 14).attr("viewBox", "-15 -7 30 14")
        .attr("aria-hidden", "true");
      mark.append("line").attr("x1", -15).attr("x2", 15).attr("stroke-width", 2.25).style("stroke", colour(i));
      mark.append("path").attr("d", path).style("fill", colour(i));
      return element("li", {}, mark.node(), name);
    });
    at("legend").replaceChildren(...items);
  }

  // --- words and the table ---
  const estimate = (text, lower, upper) =>
    element("td", {}, element("strong", { textContent: text }), " ",
      element("span", { textContent: `(${interval(lower, upper)})` }));
  const cell = (text) => element("td", { textContent: text });
  const heading = (text, scope) => element("th", { textContent: text, scope });

  function numbers([middle, lower, upper], format) {
    return estimate(format(middle), format(lower), format(upper));
  }

  function medianCell(found) {
    const made = numbers(found.median, time);
    const missed = found.median[3];
    if (missed > 0) made.append(" ", element("span", { className: "missed", textContent: `P(not reached) ${probability(missed)}` }));
    return made;
  }

  function tableRows(view) {
    const none = view.contrasts.flatMap(() => [cell(""), cell("")]);
    const horizon = duration(view.model, view.model.horizon);
    const made = [["Median survival", ...view.curves.map(medianCell), ...none]];
    view.model.milestones.forEach((i, m) => {
      const name = `Survival at ${duration(view.model, view.model.time[i])}`;
      const own = view.curves.map((each) => numbers(each.parts.map((part) => part[i]), survival));
      const apart = view.contrasts.flatMap((each) => [
        numbers(each.parts.map((part) => part[i]), (x) => `${points(x)}`),
        cell(probability(each.probability[m])),
      ]);
      made.push([name, ...own, ...apart]);
    });
    made.push([
      `RMST to ${horizon}`,
      ...view.curves.map((each) => numbers(each.rmst, time)),
      ...view.contrasts.flatMap((each) => [numbers(each.rmst, time), cell(probability(each.rmst[3]))]),
    ]);
    if (view.contrasts.length) {
      made.push([
        view.whole ? `Hazard ratio, marginal, to ${horizon}` : "Hazard ratio",
        ...view.curves.map((_, i) => cell(i ? "" : "1 (ref.)")),
        ...view.contrasts.flatMap((each) => [
          numbers(each.hazard_ratio, ratio), cell(probability(each.hazard_ratio[3])),
        ]),
      ]);
    }
    return made;
  }

  function table(view) {
    const first = view.model.arms[0];
    const others = view.contrasts.flatMap((_, i) => [
      view.contrasts.length > 1 ? `${view.model.arms[i + 1]} less ${first}` : "Difference",
      helped,
    ]);
    const head = ["Quantity", ...view.model.arms, ...others].map((name) => heading(name, "col"));
    const body = tableRows(view).map(([name, ...cells]) =>
      element("tr", {}, heading(name, "row"), ...cells)
    );
    const caption = `Posterior medians with ${level}; times in ${view.model.unit}, survival ` +
      "differences in percentage points";
    const made = element("table", {},
      element("caption", { textContent: caption }),
      element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
    const holder = at("table");
    holder.classList.toggle("pair", view.model.arms.length === 2);
    holder.replaceChildren(made);
    const scrolls = holder.scrollWidth > holder.clientWidth;
    for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", caption]]) {
      if (scrolls) holder.setAttribute(name, value);
      else holder.removeAttribute(name);
    }
  }

  function summary(view) {
    const i = view.model.time.indexOf(view.model.horizon);
    const m = view.model.milestones.indexOf(i);
    const arms = view.curves.map((curve, arm) => {
      const [middle, lower, upper] = curve.parts.map((part) => survival(part[i]));
      return `${middle} (${level} ${interval(lower, upper)}) with ${view.model.arms[arm]}`;
    });
    let text = `Survival at ${duration(view.model, view.model.horizon)}: `;
    text += view.model.arms.length > 1 ? arms.join(", ") : arms[0].replace(/ with .*/, "");
    for (const [arm, each] of view.contrasts.entries()) {
      const [middle, lower, upper] = each.parts.map((part) => points(part[i]));
      text += `; difference of ${view.model.arms[arm + 1]}: ${middle} percentage points ` +
        `(${interval(lower, upper)})` + `, ${helped.replace("\u200b", "")} ${probability(each.probability[m])}`;
    }
    return `${text}.`;
  }

  function notes(view) {
    const said = [...view.model.notes];
    if (view.model.weights) {
      const shares = Object.entries(view.model.weights).map(([name, w]) => `${name} ${w.toFixed(2)}`);
      said.unshift(`Models pooled by weight: ${shares.join(", ")}.`);
    }
    if (view.contrasts.length) {
      said.push(`${helped.replace("\u200b", "")}: the probability, given these data, the model and its priors, that ` +
        `survival is higher, or the hazard lower, than with ${view.model.arms[0]}. It compares ` +
        "patients alike in what the model holds, and says nothing of what it does not hold.");
    }
    const dashed = view.model.ends.some((end) => end < view.model.time.at(-1) - 1e-9);
    if (dashed) said.push("Dashed: beyond the follow-up of that arm.");
    at("notes").replaceChildren(...said.map((text) => element("li", { textContent: text })));
  }

  // --- all together ---
  function figure(id, plot, words) {
    plot.setAttribute("aria-hidden", "true");
    at(id).replaceChildren(plot);
    at(id).setAttribute("aria-label", words);
  }

  function pictures(view, width) {
    const whom = `${endpoint().label}, ${view.model.label}: ${patient(view)}`;
    figure("figure", survivalPlot(view, width),
      `Survival curves with ${level} bands. ${whom}. ${summary(view)}`);
    at("difference").hidden = !(state.difference && view.contrasts.length);
    if (!at("difference").hidden) {
      figure("difference", differencePlot(view, width),
        `Difference in survival over time with its ${level} band. ${whom}.`);
    }
    at("choice").textContent = whom;
  }

  function draw() {
    const view = current();
    legend(view);
    pictures(view, Math.max(280, Math.floor(at("figure").clientWidth)));
    at("failed").hidden = !view.model.failed;
    at("summary").textContent = summary(view);
    table(view);
    notes(view);
  }

  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("app").hidden = false;
  controls();
  draw();
  let width = at("figure").clientWidth;
  new ResizeObserver(() => {
    if (at("figure").clientWidth !== width) {
      width = at("figure").clientWidth;
      draw();
    }
  }).observe(at("figure"));
})();
