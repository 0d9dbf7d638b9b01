// The explorer in the page: sliders and curves are computed here, everything that needs a proof is asked of the server.
const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const live = !root.dataset.saved;
const form = $("network");
let data = JSON.parse($("data").textContent);
let values = { z: [], y: [] };
let turn = 0;
let source = null;

root.classList.add("scripted");

// ---- arithmetic: the steps that the server made from the expression tree

function erf(x) {
  const u = Math.abs(x);
  if (u < 3) {
    let term = u, sum = u;
    for (let n = 1; n < 80; n++) { term *= -u * u / n; sum += term / (2 * n + 1); }
    return Math.sign(x) * 2 / Math.sqrt(Math.PI) * sum;
  }
  let tail = 0;
  for (let k = 60; k > 0; k--) tail = k / 2 / (u + tail);
  return Math.sign(x) * (1 - Math.exp(-u * u) / Math.sqrt(Math.PI) / (u + tail));
}

const FUNCTIONS = {
  exp: Math.exp, log: (u) => Math.log(Math.abs(u)), sin: Math.sin, cos: Math.cos, atan: Math.atan, erf,
  step: (u) => (u > 0 ? 1 : 0),
};

function run({ steps }, z, y, v) {
  for (let k = 0; k < steps.length; k++) {
    const s = steps[k];
    switch (s[0]) {
      case "c": v[k] = s[1]; break;
      case "z": v[k] = z[s[1]]; break;
      case "y": v[k] = y[s[1]]; break;
      case "+": { let t = 0; for (let i = 1; i < s.length; i++) t += v[s[i]]; v[k] = t; break; }
      case "*": { let t = 1; for (let i = 1; i < s.length; i++) t *= v[s[i]]; v[k] = t; break; }
      case "max": { let t = -Infinity; for (let i = 1; i < s.length; i++) t = Math.max(t, v[s[i]]); v[k] = t; break; }
      case "^": v[k] = Math.pow(v[s[1]], s[2]); break;
      default: v[k] = FUNCTIONS[s[0]](v[s[1]]);
    }
  }
  return v;
}

const cells = [];
/** The numbers of the last layer, or of the chosen one, at z and y. */
function compute(z, y) {
  const { a, J, delta, slope } = data.curves, v = run(data.curves, z, y, cells);
  return { a: a.map((k) => v[k]), J: v[J], delta: delta.map((k) => v[k]), slope: slope && slope.map((k) => v[k]) };
}

const shown = (x) => (Number.isFinite(x) ? (Math.abs(x) >= 1e-3 || x === 0 ? x.toFixed(4) : x.toExponential(2)) : "no value");
const minus = (text) => String(text).replaceAll("-", "−");
const say = (text) => { $("said").textContent = text; };

// ---- drawing: every part is made once, and only what changes is set again

const part = (parent, tag, attributes = {}) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
};

class Chart {
  constructor(svg, height, kinds) {
    svg.replaceChildren();
    this.svg = svg;
    this.height = height;
    this.flats = part(svg, "g");
    this.grid = part(svg, "path", { class: "axis" });
    this.zero = part(svg, "path", { class: "zero" });
    this.below = [0, 1, 2, 3, 4].map(() => part(svg, "text", { "text-anchor": "middle" }));
    this.beside = [0, 1, 2, 3, 4].map(() => part(svg, "text", { "text-anchor": "end", x: 40 }));
    this.lines = kinds.map((kind) => part(svg, "path", { class: kind }));
    this.legend = part(svg, "g");
    this.now = part(svg, "path", { class: "now" });
    this.dot = part(svg, "circle", { r: 5, cx: -20, cy: -20 });
  }

  X(x) { return 46 + (x - this.start) / (this.end - this.start || 1) * 490; }
  Y(y) { return this.height - 34 - (y - this.low) / (this.high - this.low || 1) * (this.height - 60); }

  frame(low, high, start, end) {
    if (low === this.low && high === this.high && start === this.start && end === this.end) return;
    Object.assign(this, { low, high, start, end });
    let d = "";
    for (let k = 0; k <= 4; k++) {
      const x = start + (end - start) * k / 4, y = low + (high - low) * k / 4;
      d += `M${this.X(x)} 26V${this.height - 34}M46 ${this.Y(y)}H536`;
      this.below[k].setAttribute("x", this.X(x));
      this.below[k].setAttribute("y", this.height - 14);
      this.below[k].textContent = minus(+x.toFixed(2));
      this.beside[k].setAttribute("y", this.Y(y) + 4);
      this.beside[k].textContent = minus(+y.toFixed(2));
    }
    this.grid.setAttribute("d", d);
    this.zero.setAttribute("d", low < 0 && high > 0 ? `M46 ${this.Y(0)}H536` : "");
  }

  names(names) {
    this.legend.replaceChildren();
    let at = 50;
    names.forEach((name, n) => {
      if (!name) return;
      const kind = this.lines[n].getAttribute("class");
      part(this.legend, "path", { class: kind, d: `M${at} 13h26` });
      part(this.legend, "text", { class: kind, x: at + 31, y: 17 }).textContent = name;
      at += 48 + name.length * 7.6;
    });
  }

  line(n, xs, ys) {
    let d = "", pen = "M";
    const inside = (k) => ys[k] >= this.low && ys[k] <= this.high;
    for (let k = 0; k < ys.length; k++) {
      // Where it leaves the picture, a line ends at the edge.
      if (!Number.isFinite(ys[k]) || !(inside(k) || inside(k - 1) || inside(k + 1))) { pen = "M"; continue; }
      d += `${pen}${this.X(xs[k]).toFixed(1)} ${this.Y(Math.max(this.low, Math.min(this.high, ys[k]))).toFixed(1)}`;
      pen = "L";
    }
    this.lines[n].setAttribute("d", d);
  }

  flat(ranges, words) {
    this.flats.replaceChildren();
    for (const [from, to] of ranges) {
      const left = this.X(from), width = this.X(to) - left;
      part(this.flats, "rect", { class: "flat", x: left, y: 26, width, height: this.height - 60 });
      if (width > 70) part(this.flats, "text", { x: left + width / 2, y: 40, "text-anchor": "middle" }).textContent = words;
    }
  }

  mark(x, y) {
    this.now.setAttribute("d", `M${this.X(x).toFixed(1)} 26V${this.height - 34}`);
    const inside = Number.isFinite(y) && y >= this.low && y <= this.high;
    this.dot.setAttribute("cx", inside ? this.X(x).toFixed(1) : -20);
    this.dot.setAttribute("cy", inside ? this.Y(y).toFixed(1) : -20);
  }
}

const START = -8, END = 8, POINTS = 160, FLAT = 0.05;
const grid = Array.from({ length: POINTS + 1 }, (_, k) => START + (END - START) * k / POINTS);
let chart = null, drawn = null, frame = null;

/** The curves over the first z; they stay as they are while only that z moves. */
function curves() {
  const key = [...values.z.slice(1), ...values.y].join();
  if (drawn === key) return;
  drawn = key;
  const ys = [[], [], []], flat = [];
  let from = null;
  for (const x of grid) {
    const found = compute([x, ...values.z.slice(1)], values.y);
    [found.J, found.delta[0], found.a[0]].forEach((y, n) => ys[n].push(y));
    const isFlat = found.slope && Math.abs(found.slope[0]) < FLAT;
    if (isFlat && from === null) from = x;
    if (from !== null && (!isFlat || x === END)) { flat.push([from, x]); from = null; }
  }
  const all = ys.flat().filter(Number.isFinite);
  chart.frame(Math.max(-6, Math.min(0, ...all)), Math.min(8, Math.max(1, ...all)), START, END);
  ys.forEach((y, n) => chart.line(n, grid, y));
  chart.flat(flat, "slope of a < 0.05");
}

const raised = (label) => (label ? "⁽" + [...label].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? c).join("") + "⁾" : "");

function plot() {
  curves();
  const now = compute(values.z, values.y), x = values.z[0];
  chart.mark(x, now.delta[0]);
  const list = (v) => v.map((u) => minus(shown(u))).join(", ");
  $("number-a").textContent = list(now.a);
  $("number-J").textContent = minus(shown(now.J));
  $("number-delta").textContent = list(now.delta);
  const h = 1e-4;
  const near = (e) => compute([x + e, ...values.z.slice(1)], values.y).J;
  const difference = (near(h) - near(-h)) / (2 * h);
  const agrees = Math.abs(difference - now.delta[0]) <= 1e-5 * Math.max(1, Math.abs(difference));
  const known = Number.isFinite(difference);
  $("slope-by-difference").textContent = minus(shown(difference));
  const verdict = $("agreement");
  verdict.textContent = !known ? "" : agrees ? "✓ agrees with δ" : "✗ differs (a kink, or numbers at their limit)";
  verdict.className = agrees ? "proved" : "refuted";
  const slope = now.slope ? `, slope of the activation ${minus(shown(now.slope[0]))}` : "";
  const flat = now.slope && Math.abs(now.slope[0]) < FLAT;
  $("plot-words").textContent = `At z = ${minus(x.toFixed(2))}: loss ${minus(shown(now.J))}, δ ${minus(shown(now.delta[0]))}${slope}.`
    + (flat ? (Math.abs(now.delta[0]) > 0.2 ? " The unit is saturated, and δ is still large: the small slope has cancelled." : " The unit is saturated: δ is small.") : "");
}

function refresh() { frame ??= requestAnimationFrame(() => { frame = null; plot(); }); }

const RANGES = { probability: [0, 1, 0.01], "plus-minus-one": [-1, 1, 2], count: [0, 6, 1], positive: [0.1, 5, 0.1], real: [-3, 3, 0.05] };

function slider(name, words, low, high, step, value, set) {
  const row = document.createElement("div");
  row.className = "slider";
  const id = "slide-" + name;
  row.innerHTML = `<label for="${id}">${words}</label><input type="range" id="${id}" min="${low}" max="${high}" step="${step}" value="${value}"><output for="${id}"></output>`;
  const input = row.querySelector("input"), output = row.querySelector("output");
  const changed = () => { set(+input.value); output.textContent = minus(+(+input.value).toFixed(2)); };
  input.addEventListener("input", () => { changed(); refresh(); remember(); });
  changed();
  $("sliders").append(row);
}

function sliders() {
  const has = Boolean(data.curves);
  for (const id of ["numbers", "difference", "plot-words"]) $(id).toggleAttribute("hidden", !has);
  $("plot").style.display = has ? "" : "none";
  $("sliders").innerHTML = has ? "" : "<p class='quiet'>An open function has no curve: choose an activation and a loss of the catalogue.</p>";
  $("layer-choice").hidden = !(data.hidden?.length && live);
  const layer = data.curves?.layer ?? "";
  if (data.hidden) $("layer").replaceChildren(...["", ...data.hidden].map((k) => new Option(k ? `hidden ${k}` : "output", k, false, k === layer)));
  if (!has) return;
  const { units, outputs, target } = data.curves;
  const given = new URLSearchParams(location.search);
  const first = (name, usual) => { const v = Number(given.get(name) ?? usual); return Number.isFinite(v) ? v : usual; };
  values = { z: new Array(units).fill(0), y: new Array(outputs).fill(0) };
  const names = (letter) => (units > 1 ? letter + "₁" : letter) + raised(layer);
  for (let k = 0; k < units; k++) {
    const name = units > 1 ? "z" + "₁₂₃"[k] : "z";
    slider(name, name + raised(layer), START, END, 0.05, k === 0 ? first("z", 4) : 0, (v) => { values.z[k] = v; });
  }
  if (outputs > 1) slider("class", "class", 1, outputs, 1, first("y", 2), (v) => { values.y = values.y.map((_, k) => (k === v - 1 ? 1 : 0)); });
  else { const [low, high, step] = RANGES[target] ?? RANGES.real; slider("y", "y", low, high, step, first("y", Math.max(low, 0)), (v) => { values.y[0] = v; }); }
  $("above").textContent = layer ? "The weights of the layers above are fixed numbers." : "";
  drawn = null;
  chart = new Chart($("plot"), 330, ["c1", "c2", "c3"]);
  chart.names(["loss J", names("δ"), names("a")]);
  plot();
}

async function chooseLayer(layer) {
  const mine = turn;
  const answer = await ask("/api/curves?" + new URLSearchParams({ ...choice(), layer }));
  if (mine !== turn || !answer.curves) return;
  data.curves = answer.curves;
  remember();
  sliders();
}

// ---- state

function choice() {
  return Object.fromEntries([...new FormData(form)].filter(([, v]) => v.trim()));
}

let later = null;

/** The state goes into the address once the hand rests: browsers slow down a page that writes it at every move. */
function remember() {
  if (!live) return;
  clearTimeout(later);
  later = setTimeout(() => {
    const query = new URLSearchParams({ ...choice(), claim: $("claim").value, other: $("other").value, start: $("start").value, rate: $("rate").value });
    const z = $("slide-z") ?? $("slide-z₁"), y = $("slide-y") ?? $("slide-class");
    if (data.curves?.layer) query.set("layer", data.curves.layer);
    if (z) query.set("z", z.value);
    if (y) query.set("y", y.value);
    history.replaceState(null, "", "?" + query);
  }, 120);
}

async function ask(path, options) {
  const answer = await fetch(path, options).then((r) => r.json()).catch(() => ({ failed: "the server does not answer" }));
  if (answer.failed) say(answer.failed);
  return answer;
}

const post = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

async function derive() {
  const mine = ++turn;
  stop();
  claims++;
  $("lesson").classList.add("stale");
  $("verdict").replaceChildren();
  remember();
  const answer = await ask("/api/network?" + new URLSearchParams(choice()));
  if (mine !== turn || answer.failed) return;
  $("lesson").classList.remove("stale");
  $("lesson").innerHTML = answer.html;
  $("title").textContent = answer.title;
  document.title = answer.title + " · backproof explorer";
  data = { title: answer.title, curves: answer.curves, hidden: answer.hidden };
  say("");
  sliders();
  judge();
}

// ---- a typed formula: its verdict at once, its reasons when the hand rests

let claims = 0, asking = false, again = false, reasons = null;

async function judge(wait = 0) {
  clearTimeout(reasons);
  if (!live) return;
  if (asking) { again = true; return; }
  remember();
  const mine = ++claims, claim = $("claim").value;
  if (!claim.trim()) { $("verdict").replaceChildren(); return; }
  asking = true;
  const answer = await ask("/api/claim", post({ ...choice(), claim, explained: false }));
  asking = false;
  if (again) { again = false; judge(wait); return; }
  if (mine !== claims || answer.failed) return;
  $("verdict").innerHTML = answer.html;
  if (answer.verdicts.some((v) => v === "refuted")) reasons = setTimeout(() => explainClaim(mine, claim), wait);
}

async function explainClaim(mine, claim) {
  const answer = await ask("/api/claim", post({ ...choice(), claim, explained: true }));
  if (mine === claims && !answer.failed) $("verdict").innerHTML = answer.html;
}

// ---- training

let past = [], charts = null;

function stop(word) {
  source?.close();
  source = null;
  $("train").disabled = !live;
  $("stop").disabled = true;
  if (word) $("progress").textContent = word;
}

function started(runs) {
  const layers = runs[0].deltas?.length ?? 0, names = runs.map((r) => r.loss);
  const kinds = names.flatMap((_, n) => Array.from({ length: layers }, (_, k) => `c${n + 1} w${Math.min(3, layers - 1 - k)}`));
  charts = { errors: new Chart($("errors"), 260, ["c1", "c2"]), deltas: new Chart($("deltas"), 260, kinds), layers };
  charts.errors.names(names);
  charts.deltas.names(kinds.map((_, k) => ((k + 1) % layers ? "" : names[Math.floor(k / layers)])));
  const head = document.createElement("tr"), body = [];
  head.innerHTML = "<th scope='col'>mean |δ|</th>";
  for (const name of names) head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: name }));
  for (let k = layers; k > 0; k--) {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: k === layers ? "output layer" : `hidden layer ${k}` }));
    for (const _ of names) row.append(document.createElement("td"));
    body.push(row);
  }
  $("sizes").replaceChildren(head, ...body);
}

function draw() {
  const last = past.at(-1), steps = past.map((e) => e.step), { layers } = charts;
  const errors = past.flatMap((e) => e.runs.map((r) => r.error ?? 0));
  charts.errors.frame(0, Math.max(1, Math.ceil(Math.min(8, Math.max(...errors)))), 0, last.of);
  charts.deltas.frame(-6, 2, 0, last.of);
  last.runs.forEach((run, n) => {
    charts.errors.line(n, steps, past.map((e) => e.runs[n].error ?? NaN));
    for (let k = 0; k < layers; k++) {
      charts.deltas.line(n * layers + k, steps, past.map((e) => { const d = e.runs[n].deltas?.[k]; return d > 0 ? Math.log10(d) : NaN; }));
      if (run.deltas) $("sizes").rows[layers - k].cells[n + 1].textContent = minus(run.deltas[k].toExponential(2));
    }
  });
  const checked = past.findLast((e) => e.runs.some((r) => r.check));
  if (!checked) return;
  const words = checked.runs.filter((r) => r.check).map(({ loss, check: [exact, numeric] }) => {
    const agrees = Math.abs(exact - numeric) <= 1e-5 * Math.max(1e-3, Math.abs(exact));
    return `${loss} ${minus(exact.toPrecision(6))} by the equations, ${minus(numeric.toPrecision(6))} by differences ${agrees ? "✓" : "✗"}`;
  });
  $("checked").textContent = `Gradient check at step ${checked.step}, slope of the loss in one direction: ${words.join("; ")}.`;
}

function explain() {
  const first = past[0], last = past.at(-1);
  if (!first?.runs.every((r) => r.deltas)) return;
  const words = last.runs.map((run, n) => {
    if (run.stopped) return `${run.loss} stopped: ${run.stopped}.`;
    const hidden = first.runs[n].deltas[0], output = first.runs[n].deltas.at(-1);
    return `${run.loss}: mean error ${shown(run.error)} after ${last.step} steps; it started with |δ| = ${shown(output)} at the output and ${shown(hidden)} in the first layer.`;
  });
  const errors = last.runs.map((r) => r.error);
  if (errors.every(Number.isFinite) && Math.abs(errors[0] - errors[1]) > 0.05) {
    const best = errors[0] < errors[1] ? 0 : 1, other = 1 - best;
    const start = first.runs.map((r) => r.deltas.at(-1));
    words.push(start[best] > 1.5 * start[other] ? `${last.runs[best].loss} learns faster: its δ did not shrink with the slope of the output.` : `${last.runs[best].loss} is ahead.`);
  }
  $("because").textContent = words.join(" ");
}

function train() {
  stop();
  past = [];
  charts = null;
  for (const id of ["because", "checked", "trained"]) $(id).textContent = "";
  $("train").disabled = true;
  $("stop").disabled = false;
  $("progress").textContent = "starting";
  remember();
  const query = new URLSearchParams({ ...choice(), other: $("other").value, start: $("start").value, rate: $("rate").value });
  source = new EventSource("/api/train?" + query);
  let drawing = false;
  source.onmessage = ({ data: text }) => {
    const event = JSON.parse(text);
    if (event.failed) return stop(event.failed);
    if (event.done) { explain(); return stop(`done after ${past.at(-1)?.step ?? 0} steps`); }
    if (event.network) {
      $("trained").textContent = `Trained: ${event.network}, by ${event.equations} equations, ${event.proved === event.equations ? "all" : event.proved} proved.`
        + (event.soft ? " The targets are a little away from 0 and 1, where one of the losses has no value." : "");
      return;
    }
    if (!charts) started(event.runs);
    past.push(event);
    $("progress").textContent = `step ${event.step}`;
    if (!drawing) { drawing = true; requestAnimationFrame(() => { drawing = false; draw(); }); }
  };
  source.onerror = () => stop("training has ended");
}

// ---- copies, pages, documents

async function copied(kind) {
  data.copies ??= {};
  const own = data;
  if (!own.copies[kind] && live) {
    const found = await ask("/api/copy?" + new URLSearchParams({ ...choice(), form: kind }));
    if (!found.failed) own.copies[kind] = found;
  }
  return own.copies[kind];
}

async function copy(kind) {
  const found = await copied(kind);
  if (!found?.text) return say(found?.because ?? "nothing to copy");
  $("copied").hidden = false;
  $("copied").querySelector("pre").textContent = found.text;
  try { await navigator.clipboard.writeText(found.text); say(`${kind} copied`); } catch { $("copied").open = true; say("copy it from below"); }
}

const kinds = [...document.querySelectorAll("[data-copy]")].map((button) => button.dataset.copy);

async function save() {
  say("saving");
  await Promise.all(kinds.map(copied));
  for (const input of document.querySelectorAll("input:not([type=file])")) input.setAttribute("value", input.value);
  for (const option of document.querySelectorAll("option")) option.toggleAttribute("selected", option.selected);
  const page = root.cloneNode(true);
  page.dataset.saved = "yes";
  page.classList.remove("scripted");
  page.querySelector("#data").textContent = JSON.stringify({ ...data, values }).replaceAll("<", "\\u003c");
  page.querySelector("#document").textContent = $("document").value;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["<!doctype html>\n" + page.outerHTML], { type: "text/html" }));
  link.download = "backproof.html";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say("page saved");
}

async function read() {
  $("verdicts").textContent = "reading";
  const answer = await ask("/api/document", post({ text: $("document").value }));
  $("verdicts").innerHTML = answer.html ?? "";
}

form.addEventListener("submit", (event) => { event.preventDefault(); if (live) derive(); });
form.addEventListener("change", () => { if (live) derive(); });
$("layer").addEventListener("change", () => chooseLayer($("layer").value));
$("judge").addEventListener("submit", (event) => { event.preventDefault(); judge(); });
$("claim").addEventListener("input", () => judge(250));
$("train").addEventListener("click", train);
$("stop").addEventListener("click", () => { explain(); stop("stopped"); });
for (const id of ["other", "start", "rate"]) $(id).addEventListener("change", remember);
$("save").addEventListener("click", save);
$("read").addEventListener("click", read);
$("file").addEventListener("change", async ({ target }) => {
  const file = target.files[0];
  if (file && file.size > 400000) { $("verdicts").textContent = "This file is too long."; return; }
  if (file) { $("document").value = await file.text(); read(); }
});
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button.dataset.copy));
addEventListener("pagehide", () => stop());

const kept = data.values, asked = new URLSearchParams(location.search).get("layer");
sliders();
if (!live) {
  $("offline").hidden = false;
  for (const control of document.querySelectorAll("#network *, #judge *, #training .bar *, #papers button, #papers input")) control.toggleAttribute("disabled", true);
  const put = (id, value) => { const s = $("slide-" + id); if (s) { s.value = value; s.dispatchEvent(new Event("input")); } };
  kept?.z.forEach((v, k) => put("z" + (kept.z.length > 1 ? "₁₂₃"[k] : ""), v));
  if (kept) kept.y.length > 1 ? put("class", kept.y.indexOf(1) + 1) : put("y", kept.y[0]);
} else {
  judge();
  if (asked && data.hidden?.includes(asked)) chooseLayer(asked);
}
