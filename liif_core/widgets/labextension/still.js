// A widget's still stands in its place as long as the live view does not. In a trusted notebook
// JupyterLab prefers the live view to whatever lies beside it, and shows "model not found" where no
// kernel knows the widget. A still that has all that an explorer needs comes to life.

const STILL = "application/vnd.liif.still+json"; // beside the two others: still_widget.py
const LIVING = "application/vnd.liif.living+json";
const LIVE = "application/vnd.jupyter.widget-view+json";
const RANK = -20; // before the live view's: -10
const PATIENCE = 500; // milliseconds until the still is shown while the live view is on its way
const LONGER = 3000; // and until it comes to life

// What stands in a live view's place: the still, and the explorer that comes of it.
class Still {
  constructor(renderer, still, { data }) {
    Object.assign(this, { renderer, still, held: data[LIVING]?.data });
    this.stopped = false;
  }

  get wanted() {
    return !this.stopped && !this.renderer.isDisposed && this.renderer.widgets.length === 0;
  }

  show() {
    if (!this.wanted || this.renderer.node.contains(this.still.node)) return;
    // In place of "Loading …", or why there is none.
    this.renderer.node.replaceChildren(this.still.node, ...(this.life ? [this.life] : []));
    this.renderer.removeClass("jupyter-widgets");
    this.renderer.show();
  }

  async enliven() {
    if (!this.wanted || this.life || !this.held?.weights) return;
    this.life = document.createElement("div");
    this.still.node.after(this.life);
    try {
      const { explorerBeside } = await import("./static/living/beside.js");
      this.end = await explorerBeside(this.held, this.life);
      this.still.hide();
    } catch (error) {
      this.life.textContent = `This stays a still picture here. ${error.message}`;
    }
    if (this.stopped) this.stop();
  }

  stop() {
    this.stopped = true;
    this.end?.();
    this.end = null;
    this.life?.remove();
    this.still.dispose();
  }
}

// A renderer of live views, as the notebook makes it, that shows the still otherwise. It is no
// renderer around that one: the widgets' extension looks for its own in the outputs, to give
// them their manager.
function rendererIn(rendermime) {
  const renderer = rendermime.createRenderer(LIVE);
  const render = renderer.renderModel.bind(renderer);
  let still = null;
  renderer.disposed.connect(() => still?.stop());
  renderer.renderModel = async (model) => {
    still?.stop();
    const picture = rendermime.createRenderer("text/html");
    const instead = new Still(renderer, picture, model);
    still = instead;
    const comes = render(model);
    await picture.renderModel(model);
    const waiting = [
      setTimeout(() => instead.show(), PATIENCE),
      setTimeout(() => instead.enliven(), LONGER),
    ];
    await comes;
    waiting.forEach(clearTimeout);
    if (!instead.wanted) return instead.stop();
    instead.show();
    instead.enliven();
  };
  return renderer;
}

function follow({ content: { rendermime } }) {
  const createRenderer = () => rendererIn(rendermime);
  rendermime.addFactory({ safe: false, mimeTypes: [STILL], createRenderer }, RANK);
}

export function activate(_app, notebooks) {
  notebooks.forEach(follow);
  notebooks.widgetAdded.connect((_tracker, panel) => follow(panel));
}
