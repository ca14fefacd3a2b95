"use strict";
(() => {
  const root = document.documentElement;
  const words = JSON.parse(document.getElementById("words").textContent);
  const PAGE = 25;
  const tables = [];
  const language = () => (root.lang === "zh-CN" ? "zh" : "en");
  const say = (key, values = {}) => words[language()][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  function speak(code) {
    root.lang = code === "zh" ? "zh-CN" : "en";
    document.title = words[code].title;
    for (const button of document.querySelectorAll(".switch button")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === code));
    }
    for (const table of tables) table.draw(true);
  }

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  const whole = { en: new Intl.NumberFormat("en", { maximumSignificantDigits: 6 }), zh: new Intl.NumberFormat("zh-CN", { maximumSignificantDigits: 6 }) };
  function printed(value) {
    if (value === null) return "—";
    const size = Math.abs(value);
    const text = size !== 0 && size < 1e-4 ? value.toExponential(2) : whole[language()].format(value);
    return text.replaceAll("-", "−");
  }

  class Table {
    constructor(inside, columns) {
      this.columns = columns.map((column) => ({ ...column, isText: "at" in column }));
      this.count = columns.length ? (columns[0].at || columns[0].values).length : 0;
      this.page = 0;
      this.sorted = null;
      this.query = make("input", { type: "search", autocomplete: "off" });
      this.query.addEventListener("input", () => { this.page = 0; this.draw(true); });
      this.counted = make("span", { className: "count" });
      this.counted.setAttribute("aria-live", "polite");
      this.head = make("tr");
      this.body = make("tbody");
      this.back = make("button", { type: "button", onclick: () => this.turn(-1) });
      this.next = make("button", { type: "button", onclick: () => this.turn(1) });
      this.place = make("span");
      inside.replaceChildren(
        make("div", { className: "tools" }, this.query, this.counted),
        make("div", { className: "scroll" }, make("table", {}, make("thead", {}, this.head), this.body)),
        make("div", { className: "pager" }, this.back, this.place, this.next),
      );
      this.headings();
    }

    headings() {
      this.columns.forEach((column, position) => {
        const button = make("button", { type: "button", onclick: () => this.sort(position) });
        this.head.append(make("th", { scope: "col", className: column.isText ? "" : "number" }, button));
      });
    }

    turn(step) { this.page += step; this.draw(false); }

    sort(position) {
      const descending = this.sorted !== null && this.sorted.position === position && !this.sorted.descending;
      this.sorted = { position, descending };
      this.page = 0;
      this.draw(true);
    }

    cell(column, row) {
      if (column.isText) return column.words[language()][column.at[row]];
      const value = column.values[row];
      return column.kind === "year" ? (value === null ? "—" : String(value)) : printed(value);
    }

    order() {
      const terms = this.query.value.toLowerCase().split(/\s+/).filter(Boolean);
      const tests = terms.map((term) => this.columns.filter((column) => column.isText || column.kind === "year").map((column) =>
        column.isText
          ? { at: column.at, hits: column.words[language()].map((word) => word.toLowerCase().includes(term)) }
          : { years: column.values, term }));
      const rows = [];
      for (let row = 0; row < this.count; row += 1) {
        if (tests.every((any) => any.some((test) => (test.at ? test.hits[test.at[row]] : String(test.years[row]) === test.term)))) rows.push(row);
      }
      if (this.sorted !== null) this.arrange(rows);
      return rows;
    }

    arrange(rows) {
      const column = this.columns[this.sorted.position];
      const sign = this.sorted.descending ? -1 : 1;
      if (column.isText) {
        const names = column.words[language()];
        const collator = new Intl.Collator(language() === "zh" ? "zh-CN" : "en", { numeric: true });
        const ranked = [...names.keys()].sort((a, b) => collator.compare(names[a], names[b]));
        const rank = [];
        ranked.forEach((word, place) => { rank[word] = place; });
        rows.sort((a, b) => sign * (rank[column.at[a]] - rank[column.at[b]]) || a - b);
      } else {
        const values = column.values;
        rows.sort((a, b) => {
          if (values[a] === null || values[b] === null) return (values[a] === null) - (values[b] === null) || a - b;
          return sign * (values[a] - values[b]) || a - b;
        });
      }
    }

    draw(again) {
      if (again) this.rows = this.order();
      const pages = Math.max(1, Math.ceil(this.rows.length / PAGE));
      this.page = Math.min(Math.max(this.page, 0), pages - 1);
      [...this.head.children].forEach((th, position) => {
        th.firstChild.textContent = this.columns[position].heading[language()];
        const here = this.sorted !== null && this.sorted.position === position;
        if (here) th.setAttribute("aria-sort", this.sorted.descending ? "descending" : "ascending");
        else th.removeAttribute("aria-sort");
      });
      const shown = this.rows.slice(this.page * PAGE, (this.page + 1) * PAGE);
      this.body.replaceChildren(...shown.map((row) => make("tr", {}, ...this.columns.map((column) => {
        const text = this.cell(column, row);
        return make("td", { className: column.isText ? (text.length > 40 ? "long" : "") : "number", textContent: text });
      }))));
      if (!shown.length) this.body.append(make("tr", {}, make("td", { colSpan: this.columns.length, textContent: say("none_found") })));
      const number = whole[language()];
      this.query.placeholder = say("search");
      this.query.setAttribute("aria-label", say("search"));
      this.counted.textContent = say("rows", { shown: number.format(this.rows.length), all: number.format(this.count) });
      this.back.textContent = say("previous");
      this.next.textContent = say("next");
      this.place.textContent = say("page", { page: this.page + 1, pages });
      this.back.disabled = this.page === 0;
      this.next.disabled = this.page >= pages - 1;
    }
  }

  async function open(details) {
    if (details.dataset.ready) return;
    details.dataset.ready = "1";
    const inside = details.querySelector(".grid");
    if (typeof DecompressionStream === "undefined") {
      inside.textContent = say("unsupported").replace("{name}", details.dataset.table);
      return;
    }
    const content = await unpack(document.getElementById("data-" + details.dataset.table).textContent);
    const table = new Table(inside, content.columns);
    tables.push(table);
    table.draw(true);
  }

  for (const details of document.querySelectorAll("details[data-table]")) {
    details.addEventListener("toggle", () => { if (details.open) open(details); });
  }
  for (const button of document.querySelectorAll(".switch button")) {
    button.addEventListener("click", () => speak(button.dataset.language));
  }
})();
