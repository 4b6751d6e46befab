/* Light polling, for lists, board and desk. An element with

     data-poll-url="…"    is kept fresh: rows within it (or within data-poll-scope, a selector) that carry data-live-id are
                          asked for together as ?ids=1,2,3
     data-poll-every="4"  seconds between two looks; it grows while nothing changes
     data-poll-ended="…"  what to say when the session has ended

   The server answers 304 (nothing new), JSON {items: [{id, key, html?, good, say}]}, or HTML, which replaces the content of
   the element. A row whose `key` is another than its data-live-key takes the new `html`; where the answer brings none, the
   element gets the event "live:stale" with the items, and whoever drew the rows fetches them. A row that turns `good`
   pulses once, and what the server says of it is announced. Hidden tabs are silent. */
(() => {
    "use strict";
    const SLOWEST = 15000;

    function region() {
        let found = document.getElementById("ot-live-region");
        if (!found) {
            found = document.createElement("div");
            found.id = "ot-live-region";
            found.className = "ot-unseen";
            found.setAttribute("role", "status");
            found.setAttribute("aria-live", "polite");
            document.body.append(found);
        }
        return found;
    }

    function announce(texts) {
        if (texts.length) region().textContent = texts.slice(0, 3).join(". ");
    }

    function pulse(row) {
        row.classList.remove("ot-pulse");
        void row.offsetWidth; // so that a second pulse starts anew
        row.classList.add("ot-pulse");
        window.setTimeout(() => row.classList.remove("ot-pulse"), 2400);
    }

    class Poller {
        constructor(root) {
            this.root = root;
            this.every = Math.max(1, Number(root.dataset.pollEvery) || 4) * 1000;
            this.wait = this.every;
            this.etag = "";
            this.asked = "";
            this.told = new Map(); // rows that others fetch: id -> the key that they were told of
            this.ended = false;
            document.addEventListener("visibilitychange", () => this.awake());
            root.addEventListener("live:now", () => this.awake());
            this.later(300);
        }

        get rows() {
            const scope = this.root.dataset.pollScope;
            return [...(scope ? document.querySelector(scope) || this.root : this.root).querySelectorAll("[data-live-id]")];
        }

        awake() {
            window.clearTimeout(this.timer);
            this.wait = this.every;
            if (!document.hidden) this.later(200);
        }

        later(after) {
            window.clearTimeout(this.timer);
            if (!this.ended) this.timer = window.setTimeout(() => this.look(), after);
        }

        address() {
            const rows = this.rows.map((row) => row.dataset.liveId);
            const address = new URL(this.root.dataset.pollUrl, window.location.href);
            if (rows.length) address.searchParams.set("ids", [...new Set(rows)].join(","));
            return address.toString();
        }

        async look() {
            if (document.hidden || this.ended) return;
            const address = this.address();
            if (address !== this.asked) this.etag = "";
            this.asked = address;
            try {
                const headers = { "X-Requested-With": "XMLHttpRequest" };
                if (this.etag) headers["If-None-Match"] = this.etag;
                const answer = await fetch(address, { headers, cache: "no-store", redirect: "manual" });
                await this.take(answer);
            } catch {
                this.wait = Math.min(this.wait * 2, SLOWEST);
            }
            this.later(this.wait);
        }

        async take(answer) {
            if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return this.end();
            if (answer.status !== 200) {
                this.wait = Math.min(this.wait * (answer.status === 304 ? 1.25 : 2), SLOWEST);
                return undefined;
            }
            this.wait = this.every;
            this.etag = answer.headers.get("ETag") || "";
            if ((answer.headers.get("Content-Type") || "").includes("json")) return this.show((await answer.json()).items);
            this.root.innerHTML = await answer.text();
            return undefined;
        }

        show(items) {
            const stale = [];
            const said = [];
            for (const item of items) {
                const rows = this.rows.filter((row) => row.dataset.liveId === String(item.id));
                if (rows.length && rows.every((row) => row.dataset.liveKey === item.key)) continue;
                if (item.html === undefined) {
                    if (this.told.get(item.id) !== item.key) stale.push(item);
                    this.told.set(item.id, item.key);
                    continue;
                }
                for (const row of rows) {
                    const known = row.dataset.liveKey;
                    const turned = known && item.good && row.dataset.liveGood !== "1";
                    row.innerHTML = item.html;
                    row.dataset.liveKey = item.key;
                    row.dataset.liveGood = item.good ? "1" : "0";
                    if (turned) pulse(row.closest("tr") || row);
                    if (known && item.say) said.push(item.say);
                }
            }
            announce([...new Set(said)]);
            if (stale.length) this.root.dispatchEvent(new CustomEvent("live:stale", { detail: { items: stale } }));
        }

        end() {
            this.ended = true;
            window.clearTimeout(this.timer);
            const note = document.createElement("p");
            note.className = "ot-live-ended";
            note.setAttribute("role", "status");
            note.textContent = this.root.dataset.pollEnded || "";
            if (note.textContent && !document.querySelector(".ot-live-ended")) {
                const scope = this.root.dataset.pollScope && document.querySelector(this.root.dataset.pollScope);
                (scope || this.root).before(note);
            }
        }
    }

    window.otLive = { announce, pulse };

    function start() {
        for (const root of document.querySelectorAll("[data-poll-url]")) {
            if (root.dataset.pollOn) continue;
            root.dataset.pollOn = "1";
            new Poller(root);
        }
    }

    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else start();
})();
