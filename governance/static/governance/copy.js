/* A button with data-ot-copy="id" copies the text of that element, and says so to screen readers, too. */
document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-ot-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.otCopy);
    const said = button.parentElement.querySelector("[data-ot-copy-said]");
    try {
        await navigator.clipboard.writeText(source.innerText.trim());
        if (said) said.textContent = button.dataset.otCopied;
    } catch {
        // no clipboard without TLS: the text is selected, to be copied by hand
        const range = document.createRange();
        range.selectNodeContents(source);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        source.focus?.();
    }
});
