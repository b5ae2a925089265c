"use strict";
// Keyboard search and copy buttons.  Every page can be read and used without this file.
(() => {
  const editable = (node) => node.closest("input, select, textarea, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !editable(event.target)) {
      const box = document.getElementById("search");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    }
    if (event.key === "Escape" && event.target.id === "search") { event.target.blur(); }
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) { return; }
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  document.documentElement.classList.add("script");
  // On a narrow screen the menu is one row that is scrolled: show where we are in it.
  const here = document.querySelector(".side nav [aria-current]");
  const row = here && here.closest("ul");
  if (row) { row.scrollLeft = here.offsetLeft - row.offsetLeft - 16; }
})();
