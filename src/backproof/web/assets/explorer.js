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

const OPERATIONS = {
  "+": (v, s) => { let t = 0; for (let k = 1; k < s.length; k++) t += v[s[k]]; return t; },
  "*": (v, s) => { let t = 1; for (let k = 1; k < s.length; k++) t *= v[s[k]]; return t; },
  "max": (v, s) => Math.max(...s.slice(1).map((k) => v[k])),
  "^": (v, s) => Math.pow(v[s[1]], s[2]),
  "exp": (v, s) => Math.exp(v[s[1]]),
  "log": (v, s) => Math.log(Math.abs(v[s[1]])),
  "sin": (v, s) => Math.sin(v[s[1]]),
  "cos": (v, s) => Math.cos(v[s[1]]),
  "atan": (v, s) => Math.atan(v[s[1]]),
  "erf": (v, s) => erf(v[s[1]]),
  "step": (v, s) => (v[s[1]] > 0 ? 1 : 0),
};

function compute(z, y) {
  const { steps } = data.curves;
  const v = new Array(steps.length);
  for (let k = 0; k < steps.length; k++) {
    const s = steps[k];
    v[k] = s[0] === "c" ? s[1] : s[0] === "z" ? z[s[1]] : s[0] === "y" ? y[s[1]] : OPERATIONS[s[0]](v, s);
  }
  const { a, J, delta, slope } = data.curves;
  return { a: a.map((k) => v[k]), J: v[J], delta: delta.map((k) => v[k]), slope: slope && slope.map((k) => v[k]) };
}

const shown = (x) => (Number.isFinite(x) ? (Math.abs(x) >= 1e-3 || x === 0 ? x.toFixed(4) : x.toExponential(2)) : "no value");
const minus = (text) => String(text).replace("-", "−");

// ---- drawing

function draw(svg, series, { low, high, marks = "", height = 330, start, end, words = "" }) {
  const X = (x) => 46 + (x - start) / (end - start || 1) * 490;
  const Y = (y) => height - 34 - (y - low) / (high - low || 1) * (height - 60);
  let out = "";
  for (const [from, to, text] of marks || []) {
    out += `<rect class="flat" x="${X(from)}" y="26" width="${X(to) - X(from)}" height="${height - 60}"/>`;
    if (X(to) - X(from) > 70) out += `<text x="${(X(from) + X(to)) / 2}" y="40" text-anchor="middle">${text}</text>`;
  }
  for (let k = 0; k <= 4; k++) {
    const x = start + (end - start) * k / 4, y = low + (high - low) * k / 4;
    out += `<path class="axis" d="M${X(x)} 26V${height - 34}M46 ${Y(y)}H536"/>`;
    out += `<text x="${X(x)}" y="${height - 14}" text-anchor="middle">${minus(+x.toFixed(2))}</text>`;
    out += `<text x="40" y="${Y(y) + 4}" text-anchor="end">${minus(+y.toFixed(2))}</text>`;
  }
  if (low < 0 && high > 0) out += `<path class="zero" d="M46 ${Y(0)}H536"/>`;
  let at = 50;
  for (const { name, kind, points } of series) {
    let d = "", pen = "M";
    for (const [x, y] of points) {
      if (!Number.isFinite(y)) { pen = "M"; continue; }
      d += `${pen}${X(x).toFixed(1)} ${Math.max(20, Math.min(height - 30, Y(y))).toFixed(1)}`;
      pen = "L";
    }
    out += `<path class="${kind}" d="${d}"/>`;
    if (name) { out += `<path class="${kind}" d="M${at} 13h26"/><text class="${kind}" x="${at + 31}" y="17">${name}</text>`; at += 48 + name.length * 7.6; }
  }
  svg.innerHTML = out + words;
  return { X, Y };
}

const START = -8, END = 8, POINTS = 160;
let frame = null;

function plot() {
  const { units } = data.curves;
  const series = [[], [], []], flat = [];
  let from = null;
  for (let k = 0; k <= POINTS; k++) {
    const x = START + (END - START) * k / POINTS;
    const r = compute([x, ...values.z.slice(1)], values.y);
    [r.J, r.delta[0], r.a[0]].forEach((y, n) => series[n].push([x, y]));
    const isFlat = r.slope && Math.abs(r.slope[0]) < 0.05;
    if (isFlat && from === null) from = x;
    if (from !== null && (!isFlat || k === POINTS)) { flat.push([from, x, "slope of a < 0.05"]); from = null; }
  }
  const all = series.flat().map(([, y]) => y).filter(Number.isFinite);
  const low = Math.max(-6, Math.min(0, ...all)), high = Math.min(8, Math.max(1, ...all));
  const now = compute(values.z, values.y), x = values.z[0];
  const place = draw($("plot"), [
    { name: "loss J", kind: "c1", points: series[0] },
    { name: units > 1 ? "δ₁" : "δ", kind: "c2", points: series[1] },
    { name: units > 1 ? "a₁" : "a", kind: "c3", points: series[2] },
  ], { low, high, start: START, end: END, marks: flat });
  const inside = Number.isFinite(now.delta[0]) && now.delta[0] >= low && now.delta[0] <= high;
  $("plot").innerHTML += `<path class="now" d="M${place.X(x)} 26V296"/>` + (inside ? `<circle cx="${place.X(x)}" cy="${place.Y(now.delta[0])}" r="5"/>` : "");
  const list = (v) => v.map((u) => minus(shown(u))).join(", ");
  $("numbers").innerHTML = `<span>a = <b>${list(now.a)}</b></span><span>J = <b>${minus(shown(now.J))}</b></span><span>δ = <b>${list(now.delta)}</b></span>`;
  const h = 1e-4;
  const near = (e) => compute([x + e, ...values.z.slice(1)], values.y).J;
  const difference = (near(h) - near(-h)) / (2 * h);
  const agrees = Math.abs(difference - now.delta[0]) <= 1e-5 * Math.max(1, Math.abs(difference));
  $("difference").innerHTML = Number.isFinite(difference)
    ? `gradient check: (J(z + h) − J(z − h))/2h = <b>${minus(shown(difference))}</b> <span class="${agrees ? "proved" : "refuted"}">${agrees ? "✓ agrees with δ" : "✗ differs (a kink, or numbers at their limit)"}</span>`
    : "gradient check: no value here";
  const slope = now.slope ? `, slope of the activation ${minus(shown(now.slope[0]))}` : "";
  $("plot-words").textContent = `At z = ${minus(x.toFixed(2))}: loss ${minus(shown(now.J))}, δ ${minus(shown(now.delta[0]))}${slope}.`
    + (now.slope && Math.abs(now.slope[0]) < 0.05 ? (Math.abs(now.delta[0]) > 0.2 ? " The unit is saturated, and δ is still large: the small slope has cancelled." : " The unit is saturated: δ is small.") : "");
}

function refresh() { frame ??= requestAnimationFrame(() => { frame = null; plot(); }); }

const RANGES = { probability: [0, 1, 0.01], "plus-minus-one": [-1, 1, 2], count: [0, 6, 1], positive: [0.1, 5, 0.1], real: [-3, 3, 0.05] };

function slider(name, low, high, step, value, set) {
  const row = document.createElement("div");
  row.className = "slider";
  const id = "slide-" + name;
  row.innerHTML = `<label for="${id}">${name}</label><input type="range" id="${id}" min="${low}" max="${high}" step="${step}" value="${value}"><output for="${id}"></output>`;
  const input = row.querySelector("input"), output = row.querySelector("output");
  const changed = () => { set(+input.value); output.textContent = minus(+(+input.value).toFixed(2)); };
  input.addEventListener("input", () => { changed(); refresh(); remember(); });
  changed();
  $("sliders").append(row);
}

function sliders() {
  const has = Boolean(data.curves);
  for (const id of ["numbers", "difference", "plot", "plot-words"]) $(id).toggleAttribute("hidden", !has);
  $("plot").style.display = has ? "" : "none";
  $("sliders").innerHTML = has ? "" : "<p class='quiet'>An open function has no curve: choose an activation and a loss of the catalogue.</p>";
  if (!has) return;
  const { units, target } = data.curves;
  const given = new URLSearchParams(location.search);
  const first = (name, usual) => { const v = Number(given.get(name) ?? usual); return Number.isFinite(v) ? v : usual; };
  values = { z: new Array(units).fill(0), y: new Array(units).fill(0) };
  for (let k = 0; k < units; k++) {
    const name = units > 1 ? "z" + "₁₂₃"[k] : "z";
    slider(name, START, END, 0.05, k === 0 ? first("z", 4) : 0, (v) => { values.z[k] = v; });
  }
  if (units > 1) slider("class", 1, units, 1, first("y", 2), (v) => { values.y = values.y.map((_, k) => (k === v - 1 ? 1 : 0)); });
  else { const [low, high, step] = RANGES[target] ?? RANGES.real; slider("y", low, high, step, first("y", Math.max(low, 0)), (v) => { values.y[0] = v; }); }
  plot();
}

// ---- state

function choice() {
  return Object.fromEntries([...new FormData(form)].filter(([, v]) => v.trim()));
}

function remember() {
  if (!live) return;
  const query = new URLSearchParams({ ...choice(), claim: $("claim").value });
  const z = $("slide-z") ?? $("slide-z₁"), y = $("slide-y") ?? $("slide-class");
  if (z) query.set("z", z.value);
  if (y) query.set("y", y.value);
  history.replaceState(null, "", "?" + query);
}

const say = (text) => { $("said").textContent = text; };

async function ask(path, options) {
  const answer = await fetch(path, options).then((r) => r.json()).catch(() => ({ failed: "the server does not answer" }));
  if (answer.failed) say(answer.failed);
  return answer;
}

async function derive() {
  const mine = ++turn;
  stop();
  $("lesson").classList.add("stale");
  $("verdict").replaceChildren();
  remember();
  const answer = await ask("/api/network?" + new URLSearchParams(choice()));
  if (mine !== turn || answer.failed) return;
  $("lesson").classList.remove("stale");
  $("lesson").innerHTML = answer.html;
  $("title").textContent = answer.title;
  document.title = answer.title + " · backproof explorer";
  data = { title: answer.title, curves: answer.curves, copies: answer.copies };
  say("");
  sliders();
  judge();
}

let claims = 0;

async function judge() {
  const mine = ++claims, claim = $("claim").value;
  if (!live) return;
  remember();
  if (!claim.trim()) { $("verdict").replaceChildren(); return; }
  for (const explained of [false, true]) {
    const body = JSON.stringify({ ...choice(), claim, explained });
    const answer = await ask("/api/claim", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (mine !== claims || answer.failed) return;
    $("verdict").innerHTML = answer.html;
    if (answer.verdicts.every((v) => v !== "refuted")) return;
  }
}

// ---- training

let history_ = [];

function stop(word) {
  source?.close();
  source = null;
  $("train").disabled = !live;
  $("stop").disabled = true;
  if (word) $("progress").textContent = word;
}

function chart(last) {
  const names = last.runs.map((r) => r.loss), to = last.of;
  const line = (pick) => history_.map((e) => [e.step, pick(e)]);
  const log = (v) => (v > 0 ? Math.log10(v) : NaN);
  draw($("errors"), names.map((name, n) => ({ name, kind: "c" + (n + 1), points: line((e) => e.runs[n].error ?? NaN) })), { low: 0, high: 1, start: 0, end: to, height: 260 });
  draw($("deltas"), names.flatMap((name, n) => [1, 0].map((layer) => ({ name: layer ? name : "", kind: `c${n + 1}${layer ? "" : " thin"}`, points: line((e) => log(e.runs[n].deltas?.[layer])) }))), { low: -5, high: 1, start: 0, end: to, height: 260 });
}

function explain() {
  const first = history_[0], last = history_[history_.length - 1];
  if (!first) return;
  const words = last.runs.map((run, n) => {
    if (run.stopped) return `${run.loss} stopped: ${run.stopped}.`;
    return `${run.loss}: mean error ${shown(run.error)} after ${last.step} steps; it started with |δ| = ${shown(first.runs[n].deltas[1])} at the output and ${shown(first.runs[n].deltas[0])} in the hidden layer.`;
  });
  const errors = last.runs.map((r) => r.error);
  if (errors.every(Number.isFinite) && Math.abs(errors[0] - errors[1]) > 0.05) {
    const best = errors[0] < errors[1] ? 0 : 1, other = 1 - best;
    const start = first.runs.map((r) => r.deltas[1]);
    words.push(start[best] > 1.5 * start[other] ? `${last.runs[best].loss} learns faster: its δ did not shrink with the slope of the output.` : `${last.runs[best].loss} is ahead.`);
  }
  $("because").textContent = words.join(" ");
}

function train() {
  stop();
  history_ = [];
  $("because").textContent = "";
  $("train").disabled = true;
  $("stop").disabled = false;
  $("progress").textContent = "starting";
  const query = new URLSearchParams({ ...choice(), other: $("other").value, start: $("start").value, rate: $("rate").value });
  source = new EventSource("/api/train?" + query);
  let drawing = false;
  source.onmessage = ({ data: text }) => {
    const event = JSON.parse(text);
    if (event.failed) return stop(event.failed);
    if (event.done) { explain(); return stop(`done after ${history_.at(-1)?.step ?? 0} steps`); }
    history_.push(event);
    $("progress").textContent = `step ${event.step}`;
    if (!drawing) { drawing = true; requestAnimationFrame(() => { drawing = false; chart(history_.at(-1)); }); }
  };
  source.onerror = () => stop("training has ended");
}

// ---- copies, pages, documents

async function copy(kind) {
  const found = data.copies?.[kind];
  if (!found?.text) return say(found?.because ?? "nothing to copy");
  $("copied").hidden = false;
  $("copied").querySelector("pre").textContent = found.text;
  try { await navigator.clipboard.writeText(found.text); say(`${kind} copied`); } catch { $("copied").open = true; say("copy it from below"); }
}

function save() {
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
  const body = JSON.stringify({ text: $("document").value });
  const answer = await ask("/api/document", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  $("verdicts").innerHTML = answer.html ?? "";
}

let pause = null;
form.addEventListener("submit", (event) => { event.preventDefault(); if (live) derive(); });
form.addEventListener("change", () => { if (live) derive(); });
$("judge").addEventListener("submit", (event) => { event.preventDefault(); judge(); });
$("claim").addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(judge, 250); });
$("train").addEventListener("click", train);
$("stop").addEventListener("click", () => { explain(); stop("stopped"); });
$("save").addEventListener("click", save);
$("read").addEventListener("click", read);
$("file").addEventListener("change", async ({ target }) => {
  const file = target.files[0];
  if (file && file.size > 400000) { $("verdicts").textContent = "This file is too long."; return; }
  if (file) { $("document").value = await file.text(); read(); }
});
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button.dataset.copy));
addEventListener("pagehide", () => stop());

const kept = data.values;
sliders();
if (!live) {
  $("offline").hidden = false;
  for (const control of document.querySelectorAll("#network *, #judge *, #training .bar *, #papers button, #papers input")) control.toggleAttribute("disabled", true);
  if (kept) for (const name of ["z", "y"]) kept[name].forEach((v, k) => { const s = $(`slide-${name}${kept.z.length > 1 ? "₁₂₃"[k] : ""}`); if (s) { s.value = v; s.dispatchEvent(new Event("input")); } });
} else judge();
