/**
 * The script that sorts tables by any column, of the report's page and of one that lives: there it
 * brings what is shown anew into the order that was chosen before.
 */
export const SORT = String.raw`
  const headsOf = (table) => [...table.querySelectorAll("thead th")];
  // An axis and an output may have one name.
  const titleOf = (head, at, heads) => {
    const words = head.querySelector(".col").textContent;
    const before = heads.slice(0, at).filter((other) => other.querySelector(".col").textContent === words);
    return before.length + " " + words;
  };
  // What may be pressed is made here: without a script it would do nothing.
  function makeSortable(table, shown) {
    const orders = new Map((shown ? headsOf(shown) : [])
      .map((head, at, heads) => [titleOf(head, at, heads), head.getAttribute("aria-sort")]));
    headsOf(table).forEach((head, at, heads) => {
      const order = orders.get(titleOf(head, at, heads));
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", order || "none");
    });
    sortRows(table);
  }
  function sortRows(table) {
    const heads = headsOf(table);
    const column = heads.findIndex((head) => head.getAttribute("aria-sort") !== "none");
    if (column < 0) return;
    const isUp = heads[column].getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
    keyed.sort(([a], [b]) => compare(a, b, isUp));
    body.append(...keyed.map(([, row]) => row));
  }
  function valueOf(cell) {
    const text = (cell.dataset.v || cell.textContent.replace("best: ★", "")).trim();
    const number = Number(text);
    return text === "" ? null : Number.isNaN(number) ? text : number;
  }
  // What has no value stays below, whichever way the table is sorted.
  function compare(a, b, isUp) {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order = typeof a === "number" && typeof b === "number"
      ? a - b
      : typeof a === typeof b ? a.localeCompare(b) : typeof a === "number" ? -1 : 1;
    return isUp ? order : -order;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("table.sortable thead button");
    if (!button) return;
    const head = button.closest("th"), table = head.closest("table");
    const isUp = head.getAttribute("aria-sort") !== "ascending";
    for (const other of headsOf(table)) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    sortRows(table);
  });
  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
`;
