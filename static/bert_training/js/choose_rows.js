/** Counts the rows that are chosen by their boxes, chooses all, and offers only buttons that fit their number. */

for (const form of document.querySelectorAll("[data-choose]")) {
  const boxes = [...form.querySelectorAll('input[name="runs"]')];
  const all = form.querySelector("[data-choose-all]");
  const count = form.querySelector("[data-choose-count]");
  const invitation = count.textContent;

  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    count.textContent = chosen ? count.dataset.label.replace("{count}", chosen) : invitation;
    for (const button of form.querySelectorAll("[data-choose-from]")) {
      const most = Number(button.dataset.chooseTo ?? boxes.length);
      button.disabled = chosen < Number(button.dataset.chooseFrom) || chosen > most;
    }
  };

  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  addEventListener("pageshow", show); // a browser that goes back restores the boxes
  show();
}
