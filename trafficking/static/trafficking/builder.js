/* The ticket builder: parts come and go, names and checks come from the server. No naming rule lives here. */
(() => {
  "use strict";
  const form = document.getElementById("ot-build");
  if (!form) return;
  const words = document.getElementById("ot-words").dataset;
  let number = 0;
  let changed = form.dataset.unsaved === "1";
  const el = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "text") made.textContent = value;
      else if (value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };
  const at = (path) => form.querySelector(`.ot-field[data-at="${CSS.escape(path)}"]`);

  /* ------------------------------------------------------------------ asking the server */
  const ask = async (url) => {
    const answer = await fetch(url, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  const asker = (url, wait, show, failed) => {
    let timer, turn = 0;
    const run = async () => {
      const mine = ++turn;
      try {
        const found = await window.otStructured.inTurn(() => (mine === turn ? ask(url) : null));
        if (found && mine === turn) show(found);
      } catch { if (mine === turn && failed) failed(); }
    };
    return { stop: () => { clearTimeout(timer); turn++; }, soon: () => { clearTimeout(timer); timer = setTimeout(run, wait); }, now: () => { clearTimeout(timer); return run(); } };
  };

  /* ------------------------------------------------------------------ names */
  const shownName = (name, quiet) => {
    const made = [];
    const parts = name.parts.map((each) => el("span", { class: `ot-name-part ot-part-${each.part}` }, el("small", { text: each.label }), el("b", { text: each.value })));
    if (name.legal) made.push(el("div", { class: "ot-name-parts", title: name.name }, ...parts), el("code", { class: "ot-code ot-name-whole", text: name.name }));
    else {
      if (parts.length) made.push(el("div", { class: "ot-name-parts ot-faint" }, ...parts));
      name.reasons.forEach((reason) => made.push(el("p", { class: name.waits ? "ot-hint" : "ot-bad", text: reason })));
      if (name.proposal && !quiet) {
        const use = el("button", { type: "button", class: "ot-button ot-small", "data-use": name.proposal, text: `${words.use} “${name.proposal}”` });
        made.push(el("p", { class: "ot-proposal" }, use, el("code", { class: "ot-code", text: name.proposed })));
      }
    }
    return made;
  };
  const showNames = ({ names }) => {
    form.querySelectorAll("[data-name-at]").forEach((place) => { place.otNext = null; });
    for (const name of names) {
      const place = form.querySelector(`[data-name-at="${CSS.escape(name.at)}"]`);
      if (name.level === "campaign") document.getElementById("ot-side-name").replaceChildren(...shownName(name, true));
      if (place) place.otNext = name;
    }
    form.querySelectorAll("[data-name-at]").forEach((place) => {
      const next = JSON.stringify(place.otNext);
      if (place.otShown === next) return; // what has not changed is not read out again
      place.otShown = next;
      place.replaceChildren(...(place.otNext ? shownName(place.otNext) : []));
    });
  };
  const names = asker(form.dataset.names, 220, showNames);

  /* ------------------------------------------------------------------ checks */
  const state = document.getElementById("ot-check-state");
  const remark = (found) => el("li", { class: found.severity === "block" ? "ot-bad" : "ot-warn" }, el("strong", { text: `${found.severity === "block" ? words.mend : words.note}: ` }), `${found.message} ${found.remedy}`.trim());
  const showChecks = ({ findings }) => {
    const byPlace = new Map();
    for (const found of findings) {
      const key = found.at && at(found.at) ? found.at : "";
      byPlace.set(key, [...(byPlace.get(key) || []), found]);
    }
    form.querySelectorAll(".ot-field[data-at]").forEach((field) => {
      const list = field.querySelector(":scope > .ot-remarks");
      const found = byPlace.get(field.dataset.at) || [];
      const said = JSON.stringify(found);
      if (list.otSaid === said) return;
      list.otSaid = said;
      list.replaceChildren(...found.map(remark));
      field.classList.toggle("ot-wrong", found.some((each) => each.severity === "block"));
    });
    document.getElementById("ot-top").replaceChildren(...(byPlace.get("") || []).map(remark));
    document.getElementById("ot-found").replaceChildren(...[...byPlace].filter(([key]) => key).map(([key, found]) => {
      const label = at(key).querySelector("label")?.firstChild?.textContent.trim() || key;
      const jump = el("button", { type: "button", "data-jump": key, class: found.some((each) => each.severity === "block") ? "ot-bad" : "ot-warn" }, `${label}: ${found[0].message}`);
      return el("li", {}, jump);
    }));
    const blocks = findings.filter((each) => each.severity === "block").length;
    const counts = [blocks ? `${blocks} ${words.mendable}` : "", findings.length - blocks ? `${findings.length - blocks} ${words.notes}` : ""].filter(Boolean);
    state.textContent = counts.join(", ") || words.clean;
    state.className = blocks ? "ot-bad" : "ot-strong";
  };
  const checks = asker(form.dataset.check, 1200, showChecks, () => { state.textContent = words.unreachable; state.className = "ot-bad"; });

  /* ------------------------------------------------------------------ parts */
  const fresh = (id, keys) => {
    const holder = el("div");
    let html = document.getElementById(id).innerHTML;
    for (const [from, to] of keys) html = html.replaceAll(from, to);
    holder.innerHTML = html;
    return holder.firstElementChild;
  };
  const key = () => `n${++number}x${Math.floor(performance.now())}`;
  const addAd = (set) => {
    const part = fresh("ot-new-ad", [["newset", set.dataset.key], ["newad", key()]]);
    set.querySelector(".ot-ads").append(part);
    window.otStructured.start(part);
    return part;
  };
  const addSet = () => {
    const part = fresh("ot-new-set", [["newset", key()]]);
    document.getElementById("ot-sets").append(part);
    window.otStructured.start(part);
    addAd(part);
    prefill(part);
    return part;
  };
  /* A new ad set begins where the first one stands: goal, places and languages are mostly the same. */
  const prefill = (part) => {
    const first = form.querySelector('[data-part="set"]');
    if (!first || first === part) return;
    for (const name of ["goal", "languages-picked", "geo-countries"]) {
      const from = first.querySelector(`select[name$="].${name}"]`);
      const to = part.querySelector(`select[name$="].${name}"]`);
      if (!from?.otPick || !to?.otPick) continue;
      for (const option of from.otPick.chosen) to.otPick.take({ value: option.value, label: option.textContent });
    }
  };
  const focusIn = (part) => part.querySelector('input:not([type="hidden"])')?.focus();

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const part = button.closest("[data-part]");
    switch (button.dataset.act) {
      case "add-set": focusIn(addSet()); break;
      case "add-ad": focusIn(addAd(part)); break;
      case "drop-part": { const next = part.nextElementSibling || part.previousElementSibling; part.remove(); if (next) focusIn(next); break; }
      case "up": if (part.previousElementSibling) { part.previousElementSibling.before(part); button.focus(); } break;
      case "check": state.textContent = words.checking; checks.now(); return;
      default:
        if (button.dataset.jump) {
          const field = at(button.dataset.jump);
          field.closest("details")?.setAttribute("open", "");
          field.scrollIntoView({ block: "center" });
          field.querySelector('input:not([type="hidden"]), textarea, select:not([hidden])')?.focus();
          return;
        }
        if (button.dataset.use !== undefined) {
          const input = button.closest(".ot-field").querySelector("input");
          input.value = button.dataset.use;
          input.dispatchEvent(new Event("input", { bubbles: true }));
          input.focus();
        }
        return;
    }
    touched();
  });

  /* ------------------------------------------------------------------ defaults */
  const pick = (name) => form.elements[name]?.otPick;
  const fill = (name, value) => {
    const input = form.elements[name];
    if (!input || input.value) return;
    if (input.otPick) input.otPick.set({ value, label: value });
    else { input.value = value; }
  };
  const currency = (code) => form.querySelectorAll("[data-currency]").forEach((each) => { each.textContent = code; });
  const seekAccount = async () => {
    const account = pick("ticket.ad_account");
    if (!account) return;
    const found = await account.offered("");
    const standing = found.find((each) => each.value === account.select.value);
    if (standing) { currency(standing.fills.currency || ""); return; }
    if (found.length === 1) account.set(found[0]);
    else if (account.select.value) { account.take({ value: "", label: "" }); currency(""); }
  };
  form.addEventListener("ot:taken", (event) => {
    const name = event.target.name;
    for (const [field, value] of Object.entries(event.detail.fills || {})) if (field !== "currency") fill(field, value);
    if (name === "ticket.ad_account") currency(event.detail.fills?.currency || "");
    if (["campaign.chosen", "campaign.brand", "campaign.market", "ticket.channel"].includes(name)) seekAccount();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "campaign.mode") {
      form.querySelectorAll("[data-mode]").forEach((each) => { each.hidden = each.dataset.mode !== event.target.value; });
      seekAccount();
    }
    for (const day of ["start_on", "end_on"]) if (event.target.name === `campaign.${day}`) fill(`ticket.${day}`, event.target.value);
    touched();
  });

  /* ------------------------------------------------------------------ as one works */
  const touched = () => { changed = true; names.soon(); checks.soon(); };
  form.addEventListener("input", (event) => { if (event.target.name) { changed = true; names.soon(); checks.soon(); } });
  form.addEventListener("submit", () => { changed = false; names.stop(); checks.stop(); });
  form.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input:not([role=combobox])")) event.preventDefault(); });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  names.now();
})();
