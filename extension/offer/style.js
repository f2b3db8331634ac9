// The look of the offer, inside its shadow root only.

export const CSS = `
:host { all: initial; }
* { box-sizing: border-box; }
.offer {
  position: fixed; right: 16px; bottom: 16px; width: min(340px, calc(100vw - 32px)); padding: 14px 16px;
  display: grid; grid-template-columns: 1fr auto; gap: 6px 10px; border-radius: 12px;
  font: 500 14px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  background: #14181d; color: #eceff3; border: 1px solid #4a525c; box-shadow: 0 8px 30px rgba(0, 0, 0, 0.45);
}
h2 { margin: 0; font-size: 15px; font-weight: 650; }
p { grid-column: 1 / -1; margin: 0; color: #c9d0d8; overflow-wrap: anywhere; }
.buttons { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 8px; margin-top: 6px; }
button { font: inherit; font-weight: 600; color: #eceff3; background: none; border: 1px solid #4a525c; border-radius: 7px;
  padding: 6px 12px; cursor: pointer; min-width: 28px; min-height: 28px; }
button:hover { border-color: #c9d0d8; }
button.check { background: #ff7a33; border-color: #ff7a33; color: #14181d; }
button.close { padding: 0; border-color: transparent; font-size: 18px; line-height: 1; }
:focus-visible { outline: 2px solid #fff; outline-offset: 2px; }
[hidden] { display: none; }
`;
