// An extension of JupyterLab and Notebook: a widget's still stands in its place as long as the live
// view does not. In a trusted notebook JupyterLab prefers the live view to whatever lies beside it,
// and shows "model not found" where no kernel knows the widget.
//
// It is loaded as webpack's module federation asks for: a container with `init` and `get`. So it
// needs no build.
(() => {
  const STILL = "application/vnd.liif.still+json"; // beside the two others: still_widget.py
  const LIVE = "application/vnd.jupyter.widget-view+json";
  const RANK = -20; // before the live view's: -10
  const PATIENCE = 500; // milliseconds until the still is shown while the live view is on its way

  // A renderer of live views, as the notebook makes it, that shows the still otherwise. It is no
  // renderer around that one: the widgets' extension looks for its own in the outputs, to give
  // them their manager.
  function rendererIn(rendermime) {
    const renderer = rendermime.createRenderer(LIVE);
    const show = renderer.renderModel.bind(renderer);
    let still = null;
    const showStill = () => {
      if (still === null || renderer.isDisposed || renderer.widgets.length > 0) return;
      renderer.node.replaceChildren(still.node); // "Loading …", or why there is none
      renderer.removeClass("jupyter-widgets");
      renderer.show();
    };
    renderer.renderModel = async (model) => {
      still?.dispose();
      still = null;
      const made = rendermime.createRenderer("text/html");
      const waiting = setTimeout(showStill, PATIENCE);
      const comes = show(model);
      await made.renderModel(model);
      still = made;
      await comes;
      clearTimeout(waiting);
      showStill();
    };
    return renderer;
  }

  function follow({ content: { rendermime } }) {
    const createRenderer = () => rendererIn(rendermime);
    rendermime.addFactory({ safe: false, mimeTypes: [STILL], createRenderer }, RANK);
  }

  function activate(_app, notebooks) {
    notebooks.forEach(follow);
    notebooks.widgetAdded.connect((_tracker, panel) => follow(panel));
  }

  let shared;

  // What JupyterLab itself uses of a package.
  async function sharedModule(name) {
    const [{ get }] = Object.values(shared[name]);
    return (await get())();
  }

  async function plugin() {
    const { INotebookTracker } = await sharedModule("@jupyterlab/notebook");
    return { id: "liif-stills:plugin", autoStart: true, requires: [INotebookTracker], activate };
  }

  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB["liif-stills"] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const found = { __esModule: true, default: await plugin() };
      return () => found;
    },
  };
})();
