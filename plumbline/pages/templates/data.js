// "Open all" and "close all" over the repairs and reasons: what is closed is still found by the browser's own search.
for (const button of document.querySelectorAll("button[data-open]")) {
  button.addEventListener("click", () => {
    const open = button.dataset.open === "yes";
    for (const details of document.querySelectorAll(`#${button.dataset.within} details`)) details.open = open;
  });
}
document.documentElement.dataset.ready = "yes";
