/* The rule builder. Draws the tree of conditions; what it means and whether it is right, the server says. */
"use strict";
(() => {
  const box = document.querySelector("[data-rule]");
  if (!box) return;
  const text = box.querySelector("[data-rule-text]");
  const place = box.querySelector("[data-rule-tree]");
  const said = box.querySelector("[data-rule-said]");
  const known = JSON.parse(document.getElementById("rule-known").textContent);
  const words = JSON.parse(document.getElementById("rule-words").textContent);
  const t = words.texts;
  let serial = 0;
  let asked = 0;
  let timer = 0;

  let tree;
  try { tree = JSON.parse(text.value); } catch { return; }
  const isGroup = (node) => node && typeof node === "object" && Array.isArray(node.of);
  const sound = (node) => isGroup(node) ? node.of.every(sound) : Boolean(node) && typeof node.field === "string";
  if (!isGroup(tree) || !sound(tree)) return; // shown as text, to be mended there
  if (!tree.of.length) tree.of.push({ field: "", op: "", value: null });
  box.dataset.ready = "1";

  const make = (tag, attrs = {}, ...inside) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attrs)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value != null) made.setAttribute(name, value);
    }
    made.append(...inside);
    return made;
  };
  const button = (label, act, name) => make("button", { type: "button", onclick: act, "aria-label": name || label }, label);
  const picker = (label, options, value, act) => {
    const made = make("select", { "aria-label": label, onchange: (event) => act(event.target.value) });
    for (const [key, shown] of options) made.append(make("option", { value: key, selected: key === value }, shown));
    return made;
  };

  const ask = async (params) => {
    const answer = await fetch(`${box.dataset.offer}?${new URLSearchParams(params)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).found;
  };

  /* A combobox: type, arrows, Enter, Escape. `chosen(option)` gets what was picked. */
  const finder = (label, shown, params, chosen) => {
    const id = `rule-find-${++serial}`;
    const list = make("div", { class: "ot-rule-list", role: "listbox", id, "aria-label": label, hidden: true });
    const input = make("input", { type: "text", role: "combobox", autocomplete: "off", "aria-label": label, "aria-expanded": "false", "aria-controls": id, placeholder: shown || t.search, "aria-autocomplete": "list" });
    if (shown) input.value = shown;
    let found = [];
    let at = -1;
    let wait = 0;
    let turn = 0;
    const close = () => { list.hidden = true; at = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
    const mark = (next) => {
      at = next;
      [...list.querySelectorAll("[role=option]")].forEach((each, number) => {
        each.setAttribute("aria-selected", String(number === at));
        if (number === at) { each.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", each.id); }
      });
    };
    const pick = (option) => { close(); chosen(option); };
    const show = async () => {
      const mine = ++turn;
      let notice = "";
      try { found = await ask({ ...params, q: input.value === shown ? "" : input.value }); } catch { found = []; notice = t.failed; }
      if (mine !== turn || document.activeElement !== input) return;
      list.replaceChildren(...found.map((each, number) => make("div", { role: "option", id: `${id}-${number}`, "aria-selected": "false", title: each.help, onmousedown: (event) => { event.preventDefault(); pick(each); } }, each.label, ...(each.group ? [make("small", {}, each.group)] : []))));
      if (!found.length) list.append(make("div", { role: "option", "aria-disabled": "true" }, notice || t.none));
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      at = -1;
    };
    input.addEventListener("focus", () => { input.select(); show(); });
    input.addEventListener("blur", () => { turn++; close(); if (shown) input.value = shown; });
    input.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(show, 150); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && found.length) { event.preventDefault(); mark(Math.min(at + 1, found.length - 1)); }
      else if (event.key === "ArrowUp" && found.length) { event.preventDefault(); mark(Math.max(at - 1, 0)); }
      else if (event.key === "Enter") { event.preventDefault(); if (!list.hidden && found.length) pick(found[Math.max(at, 0)]); }
      else if (event.key === "Escape" && !list.hidden) { event.preventDefault(); event.stopPropagation(); close(); }
    });
    return make("div", { class: "ot-rule-find" }, input, list);
  };

  const fresh = (kind, op) => {
    if (words.bare.includes(op)) return undefined;
    if (kind === "choice" || kind === "choices") return [];
    const plain = op === "between" ? ["", ""] : "";
    return kind === "money" ? { amount: plain, currency: "USD" } : plain;
  };

  const entry = (label, type, value, act) => make("input", { type: type === "date" ? "date" : "text", inputmode: type === "number" ? "decimal" : null, "aria-label": label, value, autocomplete: "off", oninput: (event) => { act(event.target.value.trim()); changed(); } });
  const entries = (label, type, holder, key) => {
    const value = holder[key];
    if (!Array.isArray(value)) return [entry(label, type, value, (given) => { holder[key] = given; })];
    return [entry(label, type, value[0], (given) => { value[0] = given; }), t.to, entry(`${label} ${t.to}`, type, value[1], (given) => { value[1] = given; })];
  };

  const valueOf = (node, field) => {
    if (words.bare.includes(node.op)) return [];
    if (field.kind === "choice" || field.kind === "choices") {
      const chips = make("div", { class: "ot-rule-chips" });
      const names = field.names || (field.names = {});
      for (const code of node.value) chips.append(button(`${names[code] || code} ×`, () => { node.value = node.value.filter((each) => each !== code); draw(); }, `${t.remove} ${names[code] || code}`));
      const find = finder(t.value, "", { field: node.field }, (option) => { names[option.value] = option.label; if (!node.value.includes(option.value)) node.value.push(option.value); draw(node, "[aria-label='" + t.value + "']"); });
      return [make("div", {}, chips, find)];
    }
    if (field.kind === "money") return [...entries(t.amount, "number", node.value, "amount"), picker(t.currency, Object.entries(words.currencies), node.value.currency, (given) => { node.value.currency = given; changed(); })];
    const type = { number: "number", date: "date" }[field.kind] || "text";
    return entries(t.value, type, node, "value");
  };

  const line = (node, parent, at) => {
    const field = known[node.field];
    const made = make("div", { class: "ot-rule-line", "data-at": at });
    made.append(finder(t.field, field ? field.label : "", {}, (option) => {
      known[option.value] = { ...option, names: (known[option.value] || {}).names || {} };
      node.field = option.value;
      node.op = option.ops[0].op;
      node.value = fresh(option.kind, node.op);
      draw(node, "select");
    }));
    if (field) {
      made.append(picker(t.how, field.ops.map((each) => [each.op, each.words]), node.op, (op) => {
        const keep = Array.isArray(node.value) && op !== "between" && node.op !== "between" && ["choice", "choices"].includes(field.kind);
        const between = op === "between" || node.op === "between" || words.bare.includes(op) || words.bare.includes(node.op);
        node.op = op;
        if (!keep && between) node.value = fresh(field.kind, op);
        if (node.value === undefined && !words.bare.includes(op)) node.value = fresh(field.kind, op);
        draw(node, "select");
      }), ...valueOf(node, field));
    } else if (node.field) {
      made.append(make("span", { class: "ot-rule-wrong" }, node.field));
    }
    made.append(button("×", () => { parent.of.splice(parent.of.indexOf(node), 1); draw(parent, ".ot-rule-foot button"); }, `${t.remove} ${field ? field.label : ""}`.trim()));
    spots.set(node, made);
    return made;
  };

  const group = (node, parent, at, depth) => {
    const made = make("div", { class: "ot-rule-group", role: "group", "aria-label": `${t.group} ${at || 1}`, "data-at": at });
    const head = make("div", { class: "ot-rule-head" }, picker(t.group, Object.entries(words.matches), node.match, (given) => { node.match = given; changed(); }), t.of);
    if (parent) head.append(button("×", () => { parent.of.splice(parent.of.indexOf(node), 1); draw(parent, ".ot-rule-foot button"); }, `${t.remove} ${t.group}`));
    made.append(head);
    node.of.forEach((each, number) => {
      const where = `${at ? `${at}.` : ""}of[${number}]`;
      made.append(isGroup(each) ? group(each, node, where, depth + 1) : line(each, node, where));
    });
    const foot = make("div", { class: "ot-rule-foot" }, button(t.condition, () => { const added = { field: "", op: "" }; node.of.push(added); draw(added, "input"); }));
    if (depth < 5) foot.append(button(t.add_group, () => { const added = { field: "", op: "" }; node.of.push({ match: "any", of: [added] }); draw(added, "input"); }));
    made.append(foot);
    spots.set(node, made);
    return made;
  };

  const spots = new Map();
  const draw = (node, wanted) => {
    spots.clear();
    place.replaceChildren(group(tree, null, "", 1));
    changed();
    if (node && spots.get(node)) (spots.get(node).querySelector(wanted) || spots.get(node)).focus?.();
  };

  const plain = (node) => isGroup(node) ? { match: node.match, of: node.of.map(plain) } : node.value === undefined || node.value === null ? { field: node.field, op: node.op } : { field: node.field, op: node.op, value: node.value };
  const changed = () => {
    text.value = JSON.stringify(plain(tree));
    text.dispatchEvent(new Event("change", { bubbles: true }));
    clearTimeout(timer);
    timer = setTimeout(judge, 250);
  };
  const judge = async () => {
    const mine = ++asked;
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      const answer = await fetch(box.dataset.said, { method: "POST", headers: { "X-CSRFToken": token }, body: new URLSearchParams({ conditions: text.value }) });
      if (!answer.ok) throw new Error(String(answer.status));
      const { sentence, wrong } = await answer.json();
      if (mine !== asked) return;
      place.querySelectorAll(".ot-rule-wrong").forEach((each) => each.remove());
      for (const each of wrong) {
        const spot = [...place.querySelectorAll("[data-at]")].find((one) => one.dataset.at === each.at) || place.firstElementChild;
        spot.append(make("div", { class: "ot-rule-wrong" }, each.text));
      }
      said.textContent = sentence ? `IF ${sentence}` : "";
    } catch {
      if (mine === asked) said.textContent = t.failed;
    }
  };
  draw();
})();
