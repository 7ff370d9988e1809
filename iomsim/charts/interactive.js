"use strict";
// Moves the sliders of one page: reads the points that were played, and writes what they say where the sliders stand.
(() => {
  const element = (id) => document.getElementById(id);
  const told = JSON.parse(element("iomsim-sliders").textContent);
  const { runs, columns, axes, controls, readings, table } = told;
  const sizes = axes.map((axis) => axis.length);
  const state = controls.map((control) => control.value);
  let reading = 0;

  /** The row of the table between its points: linear along each axis, the first one first. */
  function between(where, k, first) {
    if (k === axes.length) return table.slice(first * columns, (first + 1) * columns);
    const axis = axes[k], x = where[k];
    let i = axis.length - 1;
    while (i > 0 && axis[i] > x) i -= 1;
    const low = between(where, k + 1, first * sizes[k] + i);
    if (!(x > axis[i]) || i + 1 === axis.length) return low;
    const weight = (x - axis[i]) / (axis[i + 1] - axis[i]);
    const high = between(where, k + 1, first * sizes[k] + i + 1);
    return low.map((value, j) => (1 - weight) * value + weight * high[j]);
  }

  /** The level, and what secrecy leaves of every strength. */
  function place() {
    const of = (kind) => controls.map((control, i) => [control.kind, state[i]]).filter((pair) => pair[0] === kind);
    const left = 1 - (of("secrecy")[0] || [0, 0])[1];
    const level = of("level").length ? of("level")[0][1] : axes[0][0];
    return [level, ...of("strength").map((pair) => left * pair[1])];
  }

  /** A whole number; halves go to the even one, as in Python. */
  function whole(x) {
    const down = Math.floor(x), rest = x - down;
    return rest > 0.5 || (rest === 0.5 && down % 2) ? down + 1 : down;
  }

  /** Half of Wilson's 95 % interval of a share of the runs. */
  function error(p) {
    const z = 1.959963984540054, scale = 1 + (z * z) / runs, middle = (p + (z * z) / (2 * runs)) / scale;
    const half = (z * Math.sqrt((p * (1 - p)) / runs + (z * z) / (4 * runs * runs))) / scale;
    return ((p === 1 ? 1 : Math.min(middle + half, 1)) - (p === 0 ? 0 : Math.max(middle - half, 0))) / 2;
  }

  /** A chance per hundred, with no more digits than the runs of a point support. */
  function say(p) {
    const half = error(p);
    if (!(p >= 0.005 && p <= 0.995)) {
      const bound = Math.min(Math.max(Math.ceil(200 * half - 1e-9), 1), 99);
      return p < 0.5 ? `<${bound}` : `>${100 - bound}`;
    }
    const step = half <= 0.03 ? 1 : half <= 0.06 ? 5 : 10;
    const rounded = Math.min(Math.max(step * whole((100 * p) / step), step), 100 - step);
    return step === 1 ? `${rounded}` : `about ${rounded}`;
  }

  function show() {
    const where = place(), row = between(where, 0, reading).map((value, j) => (j + 1 < columns ? value / runs : value));
    const shares = row.slice(0, columns - 2);
    shares.push(Math.max(1 - shares.slice(-told.single).reduce((sum, p) => sum + p, 0), 0));
    shares.forEach((p, j) => {
      element(`n${j}`).textContent = say(p);
      element(`n${j}`).dataset.value = p;
      element(`b${j}`).style.width = `${100 * p}%`;
    });
    const median = whole(row[columns - 1]);
    element("median").textContent = `${median} round${median === 1 ? "" : "s"}`;
    const played = where.every((x, k) => axes[k].includes(x));
    element("played").textContent = played ? told.played : told.interpolated;
    controls.forEach((control, i) => {
      element(`o${i}`).textContent = state[i].toFixed(control.digits);
      element(`c${i}`).setAttribute("aria-valuetext", state[i].toFixed(control.digits));
      if (control.left !== undefined) element(`l${i}`).textContent = where[control.left].toFixed(2);
    });
    if (readings.length > 1) element("rules").textContent = readings[reading].sentence;
  }

  /** Keep where the sliders stand in the address, so that it can be handed on. */
  function remember() {
    const moved = controls.map((control, i) => [control.name, state[i], control.value]);
    if (readings.length > 1) moved.push(["reading", readings[reading].name, readings[0].name]);
    const parts = moved.filter((one) => one[1] !== one[2]).map((one) => `${encodeURIComponent(one[0])}=${encodeURIComponent(one[1])}`);
    try {
      history.replaceState(null, "", parts.length ? `#${parts.join("&")}` : location.pathname + location.search);
    } catch (refused) { /* a page inside another has no address of its own */ }
  }

  function move(i, value) {
    state[i] = Math.min(Math.max(value, controls[i].low), controls[i].high);
    element(`c${i}`).value = state[i];
  }

  function read(reading_) {
    reading = reading_;
    if (readings.length > 1) element("reading").selectedIndex = reading;
  }

  function reset() {
    controls.forEach((control, i) => move(i, control.value));
    read(0);
  }

  /** Put the sliders where the address says; what it cannot mean is left out. */
  function follow() {
    reset();
    for (const part of location.hash.slice(1).split("&")) {
      let name, value;
      try {
        [name, value] = part.split("=").map(decodeURIComponent);
      } catch (broken) { continue; }
      const i = controls.findIndex((control) => control.name === name);
      const j = readings.findIndex((one) => name === "reading" && one.name === value);
      if (i >= 0 && value !== "" && Number.isFinite(Number(value))) move(i, Number(value));
      else if (j >= 0) read(j);
    }
    show();
  }

  controls.forEach((control, i) => {
    element(`c${i}`).addEventListener("input", (event) => {
      state[i] = Number(event.target.value);
      show();
    });
    element(`c${i}`).addEventListener("change", remember);
  });
  if (readings.length > 1) {
    element("reading").addEventListener("change", (event) => {
      reading = event.target.selectedIndex;
      show();
      remember();
    });
  }
  element("reset").addEventListener("click", () => { reset(); show(); remember(); });
  window.addEventListener("hashchange", follow);
  document.documentElement.classList.add("moves");
  follow();
})();
