"use strict";
const make = (name, properties, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};
const number = text => {
  const found = text.replace(/\u2212/g, "-").replace(/^[[<]/, "").match(/^[+-]?[\d,]*\.?\d+/);
  return found ? parseFloat(found[0].replace(/,/g, "")) : NaN;
};
const order = (a, b, sign) => {
  const [x, y] = [number(a), number(b)];
  if (isNaN(x) && isNaN(y)) return sign * a.localeCompare(b);
  return isNaN(x) ? 1 : isNaN(y) ? -1 : sign * (x - y);
};
for (const table of document.querySelectorAll("table:not(.map)")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = make("button", {type: "button"}, ...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const text = row => row.cells[column].textContent.trim();
      body.append(...[...body.rows].sort((a, b) => order(text(a), text(b), rising ? 1 : -1)));
    });
  });
}
for (const place of document.querySelectorAll("[data-filter]")) {
  const items = () => place.querySelectorAll("tbody tr, details.run");
  const count = make("output", {}), field = make("input", {type: "search"});
  count.setAttribute("aria-live", "polite");
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const item of items()) {
      const text = (item.matches("details") ? item.firstElementChild : item).textContent.toLowerCase();
      item.hidden = !wanted.every(word => text.includes(word));
      shown += !item.hidden;
    }
    count.textContent = field.value ? `${shown} of ${items().length} shown` : "";
  });
  place.prepend(make("div", {className: "tools"}, make("label", {}, place.dataset.filter + " ", field), count));
}
for (const place of document.querySelectorAll("[data-switch]")) {
  const options = [...place.children];
  if (options.length < 2) continue;
  const choice = make("select", {}, ...options.map((each, index) => make("option", {value: index}, each.dataset.option)));
  const show = () => options.forEach((each, index) => { each.hidden = index !== Number(choice.value); });
  choice.addEventListener("change", show);
  place.prepend(make("div", {className: "tools"}, make("label", {}, place.dataset.switch + " ", choice)));
  show();
}
const copied = async (text, button) => {
  button.parentElement.querySelector("textarea")?.remove();
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", {value: text, readOnly: true, ariaLabel: "CSV"});
    button.after(area);
    area.select();
    if (!document.execCommand("copy")) return false;
    area.remove();
    button.focus();
    return true;
  }
};
for (const table of document.querySelectorAll("table[data-csv]")) {
  const place = table.closest("[data-filter]") ?? table.parentElement;
  const button = make("button", {type: "button"}, "Copy as CSV"), result = make("output", {});
  result.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const rows = [...table.tBodies[0].rows].filter(row => !row.hidden);
    const text = [table, ...rows].map(each => each.dataset.csv + "\n").join("");
    const count = `${rows.length} row${rows.length === 1 ? "" : "s"}`;
    result.textContent = await copied(text, button) ? `${count} copied` : "copy the selected text: Ctrl+C or \u2318C";
  });
  if (!place.querySelector(".tools")) place.prepend(make("div", {className: "tools"}));
  place.querySelector(".tools").append(button, result);
}
