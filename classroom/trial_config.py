"""The class's JupyterHub, for a trial: no accounts, free ports, homes in a temporary folder.

`trial.py` starts it. Never for pupils: whoever knows the one password may be anybody.
"""

import json
import os
import sys
from pathlib import Path

trial = json.loads(os.environ["LIIF_TRIAL"])
folder = Path(trial["folder"])
os.environ["LIIF_HUB_STATE"] = trial["folder"]

c = get_config()  # noqa: F821  JupyterHub brings it
load_subconfig(str(Path(__file__).resolve().parent / "jupyterhub_config.py"))  # noqa: F821

c.JupyterHub.bind_url = trial["address"]
c.JupyterHub.hub_bind_url = trial["hub"]
c.ConfigurableHTTPProxy.api_url = trial["proxy"]
c.ConfigurableHTTPProxy.command = [trial["program"]]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = trial["token"]
c.JupyterHub.spawner_class = "simple"  # all in one name, that of whoever tries it
c.SimpleLocalProcessSpawner.home_dir_template = str(folder / "{username}")
if os.getuid() == 0:
    c.Spawner.args = [*c.Spawner.args, "--allow-root"]
c.Spawner.environment = {**c.Spawner.environment, **trial["environment"]}
c.JupyterHub.services = [{"name": "trial", "api_token": trial["token"]}]
c.JupyterHub.load_roles = [
    {
        "name": "trial",
        "services": ["trial"],
        "scopes": ["admin:users", "admin:servers", "admin:server_state", "access:servers"],
    }
]
assert sys.platform.startswith("linux"), "the class's server is a Linux machine"
