"use strict";
// Everything can be read without this. It sorts tables, filters the findings, and opens what is printed.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const collator = new Intl.Collator("en", { numeric: true });

for (const table of all("table.sortable")) {
  const heads = all("thead th", table);
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const of = (row) => row.cells[place].dataset.value ?? row.cells[place].textContent;
      const order = (one, other) => collator.compare(of(one), of(other));
      const number = (one, other) => Number(of(one)) - Number(of(other));
      const rows = [...table.tBodies[0].rows];
      rows.sort(rows.every((row) => "value" in row.cells[place].dataset) ? number : order);
      table.tBodies[0].append(...(down ? rows.reverse() : rows));
    });
  });
}

const causes = all(".cause");
if (causes.length > 1) {
  let words;
  const label = document.createElement("label");
  const input = document.createElement("input");
  const output = document.createElement("output");
  input.type = "search";
  label.append("Filter the findings ", input);
  const line = document.createElement("p");
  line.className = "filter";
  line.append(label, " ", output);
  causes[0].closest("section").before(line);
  input.addEventListener("input", () => {
    const sought = input.value.trim().toLowerCase();
    words ??= causes.map((cause) => cause.textContent.toLowerCase());
    causes.forEach((cause, place) => { cause.hidden = !words[place].includes(sought); });
    const shown = causes.filter((cause) => !cause.hidden).length;
    output.textContent = sought ? `${shown} of ${causes.length} shown` : "";
    for (const section of all("section.findings")) {
      section.hidden = all(".cause", section).every((cause) => cause.hidden);
    }
  });
}

const open = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  for (let part = target; part; part = part.parentElement) if (part.localName === "details") part.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", open);
open();

let closed = [];
addEventListener("beforeprint", () => {
  closed = all("details:not([open])");
  closed.forEach((part) => { part.open = true; });
});
addEventListener("afterprint", () => closed.forEach((part) => { part.open = false; }));
