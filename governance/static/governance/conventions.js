/* The convention as it stands in the form is tried by the server's own rule, a moment after the last key. */
"use strict";
(() => {
  const box = document.querySelector("[data-trial]");
  const form = box && box.closest("form");
  if (!form) return;
  const said = box.querySelector("[data-trial-said]");
  let timer = 0;
  let turn = 0;
  const ask = async () => {
    const mine = ++turn;
    const answer = await fetch(box.dataset.trial, { method: "POST", body: new FormData(form) });
    if (mine !== turn) return; // a later key has asked again
    if (answer.ok) said.innerHTML = await answer.text(); // the server's own template, escaped there
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(() => ask().catch(() => undefined), 250); };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  box.querySelector("#try_name").addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); later(); } // reads, does not save
  });
})();
