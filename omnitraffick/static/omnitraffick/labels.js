/* Select2 puts a box in place of a select and names it by what is chosen: nothing, while nothing is. It gets the field's label. */
(() => {
    function name(box) {
        const shown = box.querySelector(".select2-selection__rendered");
        const select = box.previousElementSibling;
        if (!shown || !select || box.dataset.named) return;
        const label = select.id && document.querySelector(`label[for="${select.id}"]`);
        const words = select.getAttribute("aria-label") || (label && label.textContent.trim());
        if (!words) return;
        box.dataset.named = "1";
        shown.setAttribute("aria-label", words);
        box.querySelector(".select2-selection").setAttribute("aria-label", words);
        box.querySelector(".select2-selection").setAttribute("aria-describedby", shown.id);
        box.querySelector(".select2-selection").removeAttribute("aria-labelledby");
    }
    const all = () => document.querySelectorAll(".select2-container").forEach(name);
    window.addEventListener("load", () => {
        all();
        new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
    });
})();
