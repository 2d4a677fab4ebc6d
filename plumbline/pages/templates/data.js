// "Open all" and "close all" above the repairs and reasons. The browser's own search still finds what is closed.
for (const button of document.querySelectorAll("button[data-open]")) {
  button.addEventListener("click", () => {
    const open = button.dataset.open === "yes";
    for (const details of document.querySelectorAll(`#${button.dataset.within} details`)) details.open = open;
  });
}
document.documentElement.dataset.ready = "yes";
