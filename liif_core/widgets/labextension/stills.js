// An extension of JupyterLab and Notebook, as webpack's module federation asks for it: a container
// with `init` and `get`. So it needs no build. What it does stands in still.js beside it.
{
  const here = new URL(".", document.currentScript.src).href;
  let shared;

  // What JupyterLab itself uses of a package.
  const sharedModule = async (name) => {
    const [{ get }] = Object.values(shared[name]);
    return (await get())();
  };

  const get = async () => {
    const { activate } = await import(`${here}still.js`);
    const { INotebookTracker } = await sharedModule("@jupyterlab/notebook");
    const plugin = { id: "liif-stills:plugin", autoStart: true, requires: [INotebookTracker], activate };
    return () => ({ __esModule: true, default: plugin });
  };

  const init = (scope) => {
    shared = scope;
  };

  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB["liif-stills"] = { init, get };
}
