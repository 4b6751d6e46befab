// The progress of an import, asked for until it has ended; and fields that only a media plan has.
(() => {
    const watched = document.querySelector("[data-progress]");
    let etag = "";
    const look = async () => {
        let answer;
        try {
            answer = await fetch(watched.dataset.progress, { headers: etag ? { "If-None-Match": etag } : {} });
        } catch {
            return setTimeout(look, 5000);
        }
        if (answer.status === 200) {
            const told = await answer.json();
            etag = answer.headers.get("ETag") || "";
            if (told.state !== watched.dataset.state) return window.location.reload();
            watched.querySelector("[data-step]").textContent = told.step;
            watched.querySelector("[data-count]").textContent = told.total ? `${told.done} / ${told.total}` : "";
            const bar = watched.querySelector("progress");
            if (told.total) {
                bar.max = told.total;
                bar.value = told.done;
            } else {
                bar.removeAttribute("value");
            }
        } else if (answer.status !== 304) {
            return window.location.reload();
        }
        setTimeout(look, document.hidden ? 5000 : 1000);
    };
    if (watched) setTimeout(look, 700);

    const kind = document.querySelector("select[name=kind]");
    const show = () => document.querySelectorAll("[data-only]").forEach((row) => { row.hidden = row.dataset.only !== kind.value; });
    if (kind) {
        kind.addEventListener("change", show);
        show();
    }
})();
