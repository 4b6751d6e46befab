/* Structured fields: searched choices, hours of a week, media by picture. Used by the builder and the admin's forms. */
(() => {
  "use strict";
  const root = "/admin/trafficking/ticket/build/";
  const choicesUrl = (kind) => {
    const config = document.getElementById("ot-pick-config");
    return config ? config.dataset.choices.replace("KIND", kind) : `${root}choices/${kind}/`;
  };
  let numbers = 0;
  /* One question at a time: the answers come in order, and a check that writes and undoes is never read into. */
  let queue = Promise.resolve();
  const inTurn = (work) => { const next = queue.then(work, work); queue = next.catch(() => {}); return next; };
  const el = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "text") made.textContent = value;
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  };
  const tell = (node) => node.dispatchEvent(new Event("change", { bubbles: true }));

  /* What is chosen beside it, which narrows what is offered. */
  const beside = (select) => {
    const form = select.form;
    const value = (name) => (form && form.elements[name] && form.elements[name].value) || "";
    const mode = form && form.querySelector('input[name="campaign.mode"]:checked');
    const standing = document.getElementById("ot-campaign");
    const found = { channel: value("ticket.channel") };
    if (mode && mode.value === "new") Object.assign(found, { brand: value("campaign.brand"), market: value("campaign.market"), objective: value("campaign.objective") });
    else found.campaign = standing ? standing.value : value("campaign.chosen");
    return found;
  };

  class Pick {
    constructor(select) {
      this.select = select;
      this.many = select.multiple;
      this.free = select.hasAttribute("data-free");
      this.items = [];
      this.at = -1;
      this.asked = 0;
      this.build();
    }

    build() {
      const select = this.select;
      const id = `ot-pick-${++numbers}`;
      this.box = el("div", { class: "ot-pick" });
      this.chips = el("span", { class: "ot-chips" });
      const label = select.getAttribute("aria-label") || (select.id && document.querySelector(`label[for="${CSS.escape(select.id)}"]`)?.textContent.trim()) || select.name;
      this.input = el("input", { type: "text", role: "combobox", class: "ot-pick-input", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": id, autocomplete: "off", spellcheck: "false", "aria-label": label, disabled: select.disabled });
      this.list = el("ul", { id, role: "listbox", class: "ot-pick-list", "aria-label": label, hidden: true });
      this.box.append(this.chips, this.input, this.list);
      select.after(this.box);
      select.hidden = true;
      select.otPick = this;
      this.input.addEventListener("focus", () => { if (!this.many) this.input.select(); });
      this.input.addEventListener("click", () => this.open());
      this.input.addEventListener("input", (event) => { event.stopPropagation(); this.later(); });
      this.input.addEventListener("change", (event) => event.stopPropagation());
      this.input.addEventListener("keydown", (event) => this.key(event));
      this.input.addEventListener("blur", () => setTimeout(() => this.leave(), 150));
      this.list.addEventListener("mousedown", (event) => event.preventDefault());
      this.list.addEventListener("click", (event) => {
        const option = event.target.closest("[role=option]");
        if (option) this.take(this.items[Number(option.dataset.number)]);
      });
      this.show();
    }

    get chosen() { return [...this.select.selectedOptions].filter((option) => option.value); }

    show() {
      if (!this.many) {
        this.input.value = this.chosen[0]?.textContent || "";
        return;
      }
      this.chips.replaceChildren(...this.chosen.map((option) => {
        const out = el("button", { type: "button", class: "ot-chip-out", "aria-label": `× ${option.textContent}`, text: "×" });
        out.addEventListener("click", () => { option.remove(); this.show(); tell(this.select); this.input.focus(); });
        return el("span", { class: "ot-chip" }, el("span", { text: option.textContent }), out);
      }));
      this.input.value = "";
    }

    later() { clearTimeout(this.timer); this.timer = setTimeout(() => this.open(), 180); }

    async open() {
      const asked = ++this.asked;
      const typed = this.many || this.input.value !== (this.chosen[0]?.textContent || "") ? this.input.value.trim() : "";
      const found = await this.offered(typed);
      if (asked !== this.asked || document.activeElement !== this.input) return;
      const taken = new Set(this.chosen.map((option) => option.value));
      this.items = found.filter((item) => !this.many || !taken.has(item.value));
      if (this.free && typed && !this.items.some((item) => item.value.toLowerCase() === typed.toLowerCase())) this.items.push({ value: typed, label: `+ ${typed}`, plain: typed, note: "" });
      if (!this.many && !typed && this.chosen.length) this.items.unshift({ value: "", label: "–", note: "" });
      this.list.replaceChildren(...this.items.map((item, at) => el("li", { role: "option", id: `${this.list.id}-${at}`, "data-number": at, "aria-selected": "false" }, el("span", { text: item.label }), ...(item.note ? [el("small", { text: item.note })] : []))));
      this.list.hidden = !this.items.length;
      this.input.setAttribute("aria-expanded", String(!this.list.hidden));
      this.move(typed && this.items.length ? 0 : -1);
    }

    async offered(text) {
      const query = new URLSearchParams({ ...beside(this.select), q: text });
      try {
        return await inTurn(async () => {
          const answer = await fetch(`${choicesUrl(this.select.dataset.otPick)}?${query}`, { headers: { Accept: "application/json" } });
          return answer.ok ? (await answer.json()).results : [];
        });
      } catch { return []; }
    }

    move(at) {
      this.at = at;
      [...this.list.children].forEach((option, number) => {
        option.setAttribute("aria-selected", String(number === at));
        if (number === at) option.scrollIntoView({ block: "nearest" });
      });
      if (at >= 0) this.input.setAttribute("aria-activedescendant", `${this.list.id}-${at}`);
      else this.input.removeAttribute("aria-activedescendant");
    }

    key(event) {
      const shown = !this.list.hidden;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (!shown) { this.open(); return; }
        const step = event.key === "ArrowDown" ? 1 : -1;
        this.move((this.at + step + this.items.length) % this.items.length);
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (shown && this.items[this.at]) this.take(this.items[this.at]);
        else if (this.free && this.input.value.trim()) this.take({ value: this.input.value.trim(), label: this.input.value.trim() });
      } else if (event.key === "Escape") { this.close(); this.show(); }
      else if (event.key === "Backspace" && this.many && !this.input.value && this.chosen.length) { this.chosen.at(-1).remove(); this.show(); tell(this.select); }
    }

    take(item) {
      if (!this.many) this.select.replaceChildren(el("option", { value: "" }));
      if (item.value) {
        const option = el("option", { value: item.value, text: item.plain || item.label });
        option.selected = true;
        this.select.append(option);
        option.selected = true;
      }
      this.close();
      this.show();
      this.select.dispatchEvent(new CustomEvent("ot:taken", { bubbles: true, detail: item }));
      tell(this.select);
    }

    set(item) { if (this.select.value !== item.value) this.take(item); }

    leave() {
      if (document.activeElement === this.input) return;
      this.close();
      const typed = this.input.value.trim();
      if (this.many && this.free && typed) this.take({ value: typed, label: typed });
      else this.show();
    }

    /* what was typed or asked for before may not open the list again */
    close() { clearTimeout(this.timer); this.asked++; this.list.hidden = true; this.input.setAttribute("aria-expanded", "false"); this.move(-1); }
  }

  /* ---------------------------------------------------------------- hours of a week */
  const WORDS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const readHours = (text) => {
    const hours = new Set();
    for (const piece of text.split(";")) {
      const found = piece.trim().match(/^([A-Za-z]{3})[A-Za-z]*(?:\s*-\s*([A-Za-z]{3})[A-Za-z]*)?\s+([\d\s,:-]+)$/);
      if (!found) continue;
      const day = (word) => WORDS.findIndex((each) => each.toLowerCase() === word.toLowerCase());
      const first = day(found[1]);
      const last = found[2] ? day(found[2]) : first;
      for (const span of found[3].split(",")) {
        const [start, end] = span.split("-").map((each) => parseInt(each, 10));
        for (let each = first; first >= 0 && each <= last; each++) for (let hour = start; hour < end && hour < 24; hour++) hours.add(each * 24 + hour);
      }
    }
    return hours;
  };
  const writeHours = (hours) => WORDS.map((word, day) => {
    const spans = [];
    for (let hour = 0; hour < 24; hour++) {
      if (!hours.has(day * 24 + hour)) continue;
      if (spans.length && spans.at(-1)[1] === hour) spans.at(-1)[1] = hour + 1;
      else spans.push([hour, hour + 1]);
    }
    return spans.length ? `${word} ${spans.map((span) => span.join("-")).join(", ")}` : "";
  }).filter(Boolean).join("; ");

  const hoursGrid = (box) => {
    const text = box.querySelector("input");
    const details = box.querySelector("details");
    const days = box.dataset.days.split(",");
    const draw = () => {
      const hours = readHours(text.value);
      const table = el("table", { role: "grid" });
      table.append(el("tr", {}, el("td", {}), ...Array.from({ length: 24 }, (_, hour) => el("th", { scope: "col", text: hour % 3 ? "" : String(hour) }))));
      days.forEach((name, day) => table.append(el("tr", { role: "row" }, el("th", { scope: "row", text: name }), ...Array.from({ length: 24 }, (_, hour) => el("td", { role: "gridcell" }, el("button", { type: "button", "data-hour": day * 24 + hour, "aria-pressed": String(hours.has(day * 24 + hour)), "aria-label": `${name} ${hour}:00–${hour + 1}:00`, tabindex: day + hour === 0 ? 0 : -1 }))))));
      box.querySelector(".ot-hours-grid").replaceChildren(table);
    };
    const put = (button, on) => {
      button.setAttribute("aria-pressed", String(on));
      const hours = new Set([...box.querySelectorAll('[aria-pressed="true"]')].map((each) => Number(each.dataset.hour)));
      text.value = writeHours(hours);
      tell(text);
    };
    details.addEventListener("toggle", () => details.open && draw());
    text.addEventListener("change", (event) => event.isTrusted && details.open && draw());
    let painting = null;
    box.addEventListener("pointerdown", (event) => {
      const button = event.target.closest("[data-hour]");
      if (!button) return;
      event.preventDefault();
      painting = button.getAttribute("aria-pressed") !== "true";
      put(button, painting);
    });
    box.addEventListener("pointerover", (event) => {
      const button = event.target.closest("[data-hour]");
      if (button && painting !== null) put(button, painting);
    });
    document.addEventListener("pointerup", () => { painting = null; });
    box.addEventListener("keydown", (event) => {
      const button = event.target.closest("[data-hour]");
      if (!button) return;
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 24, ArrowUp: -24 }[event.key];
      if (event.key === " " || event.key === "Enter") { event.preventDefault(); put(button, button.getAttribute("aria-pressed") !== "true"); }
      if (!step) return;
      event.preventDefault();
      const next = box.querySelector(`[data-hour="${Number(button.dataset.hour) + step}"]`);
      if (!next) return;
      button.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      if (event.shiftKey) put(next, button.getAttribute("aria-pressed") === "true");
    });
  };

  /* ---------------------------------------------------------------- media by picture */
  let dialog = null;
  const library = (url, query, chosen) => {
    if (!dialog) {
      dialog = el("dialog", { class: "ot-library", "aria-label": document.documentElement.lang.startsWith("en") ? "Media library" : "Media" });
      const search = el("input", { type: "search", class: "ot-input", "aria-label": "Search", placeholder: "Search" });
      const close = el("button", { type: "button", class: "ot-icon", "aria-label": "Close", text: "×" });
      dialog.files = el("div", { class: "ot-files" });
      dialog.append(el("div", { class: "ot-library-head" }, search, close), dialog.files);
      document.body.append(dialog);
      dialog.search = search;
      close.addEventListener("click", () => dialog.close());
      search.addEventListener("input", () => { clearTimeout(dialog.timer); dialog.timer = setTimeout(() => dialog.load(), 200); });
      dialog.files.addEventListener("click", (event) => {
        const file = event.target.closest("[data-file]");
        if (file) { dialog.close(); dialog.chosen(file.dataset); }
      });
    }
    dialog.chosen = chosen;
    dialog.load = async () => {
      const answer = await fetch(`${url}?${new URLSearchParams({ ...query, q: dialog.search.value })}`);
      dialog.files.innerHTML = answer.ok ? await answer.text() : "";
    };
    dialog.search.value = "";
    dialog.load();
    dialog.showModal();
  };

  const mediaRows = (box) => {
    const url = box.dataset.otMedia;
    const rows = box.querySelector("ul");
    const add = (file) => {
      const row = box.querySelector("template").content.cloneNode(true).querySelector("li");
      if (file) {
        row.querySelector(".ot-thumb").replaceChildren(el("img", { src: `${url}${file.file}/`, alt: "" }));
        row.querySelector(".ot-media-name").textContent = file.name;
        row.querySelector('input[name$="-file"]').value = file.file;
        row.querySelector('input[name$="-id"], input[name$="-media_id"]').type = "hidden";
        const kind = row.querySelector("select");
        if (kind) kind.value = file.kind;
      }
      rows.append(row);
      tell(row.querySelector("input"));
      (row.querySelector('select, input:not([type="hidden"])') || row.querySelector("button")).focus();
    };
    box.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act;
      if (act === "pick") library(url, { ...beside(box.closest("form").elements[0]), ...(box.dataset.brand ? { brand: box.dataset.brand } : {}) }, add);
      if (act === "id") add(null);
      if (act === "drop") { event.stopPropagation(); event.target.closest("li").remove(); tell(rows); }
    });
  };

  const start = (within) => {
    within.querySelectorAll("select[data-ot-pick]").forEach((select) => { if (!select.otPick && !select.closest("template, .empty-form") && !select.name.includes("__prefix__")) new Pick(select); });
    within.querySelectorAll("[data-ot-hours]").forEach((box) => { if (!box.otReady && !box.closest(".empty-form")) { box.otReady = true; hoursGrid(box); } });
    within.querySelectorAll("[data-ot-media]").forEach((box) => { if (!box.otReady && !box.closest(".empty-form")) { box.otReady = true; mediaRows(box); } });
  };
  window.otStructured = { start, beside, inTurn };
  document.addEventListener("formset:added", (event) => start(event.target));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => start(document));
  else start(document);
})();
