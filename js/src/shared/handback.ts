/** Hands the keyboard of a view back to the notebook that it is in. */
export function handBack(root: HTMLElement): void {
  const active = root.ownerDocument.activeElement;
  if (active instanceof HTMLElement) active.blur();
  // JupyterLab's command mode listens where the focus is: on the cell, or on the notebook itself
  for (const name of [".jp-Cell", ".jp-Notebook"]) {
    const host = root.closest<HTMLElement>(name);
    if (!host || host.tabIndex < 0) continue;
    host.focus({ preventScroll: true });
    return;
  }
}
