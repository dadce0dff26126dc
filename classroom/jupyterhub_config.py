"""JupyterHub for a class: `jupyterhub -f classroom/jupyterhub_config.py`, as root.

Whoever has an account on this machine may log in. Their server is started by `pupil.py`, in their
own name, in their own copy of the course. README.md beside this file tells the rest.
"""

import os
import shlex
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: Most bytes of its own that one process of a pupil may hold: a lesson's kernel, or JupyterLab.
MEMORY = "2G"
#: Where the hub keeps what must outlive it: who is logged in, and which servers run.
STATE = Path(os.environ.get("LIIF_HUB_STATE", "/var/lib/liif-hub"))

STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
c = get_config()  # noqa: F821  JupyterHub brings it

c.JupyterHub.bind_url = "http://:8000"
# Passwords need HTTPS, unless this network is the classroom's own:
# c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = "/etc/ssl/class.pem", "/etc/ssl/private/class.key"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{STATE / 'hub.sqlite'}"
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")

c.Authenticator.allow_all = True  # whoever the machine itself lets in
c.Authenticator.blocked_users = {"root"}
c.Authenticator.admin_users = {"teacher"}

c.Spawner.cmd = [sys.executable, str(HERE / "pupil.py")]
c.Spawner.mem_limit = MEMORY  # which `pupil.py` sees to
c.Spawner.default_url = "/lab/tree/notebooks/00_how_does_ai_zoom.ipynb"
c.Spawner.environment = {
    # JupyterLab's terminal, and `!` in a cell, find `liif`.
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    # Thirty at once: each computes with one core at a time.
    "OMP_NUM_THREADS": "1",
}
# A kernel that nobody has asked anything for an hour makes room. The terminal's shell is none of
# log-in, which Jupyter would start here: /etc/profile would put another PATH in place of ours.
c.Spawner.args = shlex.split(
    "--MappingKernelManager.cull_idle_timeout=3600 --MappingKernelManager.cull_connected=True "
    "--ServerApp.terminado_settings=shell_command=/bin/bash"
)
# All begin at once, on the hour.
c.JupyterHub.concurrent_spawn_limit = 10
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
