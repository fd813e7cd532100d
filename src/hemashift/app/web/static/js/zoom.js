// Zoom and move of the pictures of one cell, all alike.

const STEPS = [1, 1.5, 2, 3, 4, 6, 8];

export class Zoom {
  constructor(views, output) {
    this.views = views;
    this.output = output;
    this.reset();
    for (const view of views.querySelectorAll(".view")) {
      view.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      view.addEventListener("pointerdown", (event) => this.grab(event));
    }
  }

  reset() {
    Object.assign(this, { step: 0, x: 0, y: 0 });
    this.show();
  }

  by(steps) {
    this.step = Math.min(Math.max(this.step + steps, 0), STEPS.length - 1);
    if (this.step === 0) Object.assign(this, { x: 0, y: 0 });
    this.show();
  }

  wheel(event) {
    event.preventDefault();
    this.by(event.deltaY < 0 ? 1 : -1);
  }

  grab(event) {
    if (event.button !== 0 || this.step === 0) return;
    const view = event.currentTarget;
    const start = { x: event.clientX - this.x, y: event.clientY - this.y };
    const move = (moved) => {
      Object.assign(this, { x: moved.clientX - start.x, y: moved.clientY - start.y });
      this.show();
    };
    view.setPointerCapture(event.pointerId);
    view.addEventListener("pointermove", move);
    view.addEventListener("pointerup", () => view.removeEventListener("pointermove", move), {
      once: true,
    });
  }

  show() {
    const scale = STEPS[this.step];
    this.output.textContent = `${scale}×`;
    for (const image of this.views.querySelectorAll("img")) {
      image.style.transform = `translate(${this.x}px, ${this.y}px) scale(${scale})`;
    }
    for (const view of this.views.querySelectorAll(".view")) {
      view.classList.toggle("zoomed", scale > 1);
    }
  }
}
