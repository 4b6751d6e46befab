/* The board's hands: drag and drop, "Move to…" by keyboard, and cards that live.js found to be stale. The server decides. */
(() => {
    "use strict";
    const board = document.getElementById("board");
    if (!board) return;
    const said = document.getElementById("board-said");
    const words = board.dataset;
    const card = (id) => board.querySelector(`.ot-card[data-live-id="${CSS.escape(String(id))}"]`);
    const column = (key) => board.querySelector(`.ot-column[data-column="${CSS.escape(key)}"]`);
    let dragged = null;

    function recount() {
        for (const each of board.querySelectorAll(".ot-column")) {
            const count = each.querySelector(".ot-count");
            if (!count.dataset.capped) count.textContent = each.querySelectorAll(".ot-card").length;
        }
    }

    function drawn(html) {
        const holder = document.createElement("template");
        holder.innerHTML = html.trim();
        return holder.content.firstElementChild;
    }

    /* Puts cards where they stand now; focus stays with whoever had it. */
    function place(cards) {
        for (const each of cards) {
            const before = card(each.id);
            const focused = before && before.contains(document.activeElement);
            const open = before?.querySelector(".ot-move").open;
            const to = focused && document.activeElement.dataset.to;
            const turned = before && each.good && before.dataset.liveGood !== "1";
            const where = column(each.column);
            if (!where) {
                before?.remove();
                continue;
            }
            const fresh = drawn(each.html);
            if (before && before.closest(".ot-column") === where) before.replaceWith(fresh);
            else {
                before?.remove();
                where.querySelector(".ot-cards").prepend(fresh);
            }
            fresh.querySelector(".ot-move").open = Boolean(open);
            if (focused) (fresh.querySelector(`button[data-to="${to}"]`) || fresh.querySelector("summary")).focus();
            if (turned) window.otLive.pulse(fresh);
        }
        recount();
    }

    function tell(answer) {
        said.replaceChildren();
        said.classList.toggle("ot-said-no", !answer.moved && !answer.made);
        const text = document.createElement("p");
        text.textContent = answer.text;
        const close = document.createElement("button");
        close.type = "button";
        close.textContent = words.wordsClose;
        close.addEventListener("click", () => (said.hidden = true));
        text.append(close);
        said.append(text);
        if (answer.findings?.length) {
            const list = document.createElement("ul");
            for (const each of answer.findings) {
                const line = document.createElement("li");
                line.textContent = `${each.message} ${each.remedy}`.trim();
                list.append(line);
            }
            const link = document.createElement("a");
            link.className = "ot-link";
            link.href = answer.page;
            link.textContent = words.wordsOpen;
            said.append(list, link);
        }
        said.hidden = false;
        said.scrollIntoView({ block: "nearest" });
    }

    async function ask(id, version, to) {
        const token = board.querySelector("input[name=csrfmiddlewaretoken]").value;
        const body = new URLSearchParams({ ticket: id, version, to });
        const answer = await fetch(words.moveUrl, { method: "POST", body, headers: { "X-CSRFToken": token }, redirect: "manual" });
        if (!answer.ok) throw new Error(String(answer.status));
        return answer.json();
    }

    async function move(moved, to, byKeyboard) {
        const home = moved.parentElement;
        const next = moved.nextElementSibling;
        const id = moved.dataset.liveId;
        if (moved.getAttribute("aria-busy") === "true") return;
        moved.querySelector("details").open = false;
        moved.setAttribute("aria-busy", "true");
        column(to).querySelector(".ot-cards").prepend(moved);
        let answer;
        try {
            answer = await ask(id, moved.dataset.version, to);
        } catch {
            answer = { moved: false, text: words.wordsFailed, findings: [], cards: [] };
        }
        if (answer.open) {
            window.location.assign(answer.open);
            return;
        }
        home.insertBefore(moved, next && next.parentElement === home ? next : null); // back, until its new card is placed
        moved.removeAttribute("aria-busy");
        place(answer.cards);
        const now = card(id);
        if (!answer.moved && now) now.classList.add("ot-snap");
        if (byKeyboard && now) now.querySelector("summary").focus();
        tell(answer);
        board.dispatchEvent(new Event("live:now"));
    }

    board.addEventListener("dragstart", (event) => {
        dragged = event.target.closest?.(".ot-card");
        if (!dragged) return;
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", dragged.dataset.liveId);
        dragged.classList.add("ot-dragged");
    });
    board.addEventListener("dragend", () => {
        dragged?.classList.remove("ot-dragged");
        dragged = null;
        board.querySelectorAll(".ot-over").forEach((each) => each.classList.remove("ot-over"));
    });
    board.addEventListener("dragover", (event) => {
        const over = event.target.closest(".ot-column");
        if (!dragged || !over) return;
        event.preventDefault();
        board.querySelectorAll(".ot-over").forEach((each) => each !== over && each.classList.remove("ot-over"));
        over.classList.add("ot-over");
    });
    board.addEventListener("drop", (event) => {
        const over = event.target.closest(".ot-column");
        if (!dragged || !over) return;
        event.preventDefault();
        const moved = dragged;
        moved.classList.remove("ot-dragged");
        if (over.dataset.column !== moved.dataset.column) move(moved, over.dataset.column, false);
    });
    board.addEventListener("click", (event) => {
        const button = event.target.closest("button[data-to]");
        if (button) move(button.closest(".ot-card"), button.dataset.to, true);
    });
    document.addEventListener("click", (event) => {
        for (const open of board.querySelectorAll(".ot-move[open]")) if (!open.contains(event.target)) open.open = false;
    });
    board.addEventListener("keydown", (event) => {
        const open = event.key === "Escape" && event.target.closest(".ot-move[open]");
        if (!open) return;
        open.open = false;
        open.querySelector("summary").focus();
    });
    board.addEventListener("live:stale", async (event) => {
        const items = event.detail.items.slice(0, 100);
        const address = new URL(words.cardsUrl, window.location.href);
        address.searchParams.set("ids", items.map((each) => each.id).join(","));
        const answer = await fetch(address, { cache: "no-store", redirect: "manual" }).catch(() => null);
        if (!answer?.ok) return;
        const known = new Map(items.filter((each) => card(each.id)).map((each) => [each.id, card(each.id).dataset.liveKey]));
        const { cards } = await answer.json();
        const free = cards.filter((each) => card(each.id)?.getAttribute("aria-busy") !== "true" && card(each.id) !== dragged);
        place(free);
        window.otLive.announce(free.filter((each) => known.has(each.id) && known.get(each.id) !== each.key).map((each) => each.say));
    });
})();
