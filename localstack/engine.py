"""Starts the local engine for this project.

Five things differ from the engine's own command:

* the Lambda runtime interface sends without Nagle's delay (a warm call takes
  about 11 ms instead of 55 ms);
* only the port it was given is opened, never 443 beside it;
* functions read streams from the beginning after a restart. The engine saves how
  far they have read, but not the streams, which begin anew: they would pass over
  as many new records as they had read old ones;
* it collects garbage less often, which is a fifteenth of what it computes;
* a marker file says whether the state on disk is whole. The engine writes its
  state at a clean stop only, so the marker is removed only after one.

Environment, besides the engine's own:

PADDOCK_ENGINE_MARKER  file that exists while the state on disk is not whole;
                       holds the process id.
PADDOCK_ENGINE_TIED    "1": stop when standard input closes, so that an engine
                       does not outlive the test process that started it.
"""

import gc
import os
import signal
import socketserver
import sys
import threading

socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack import app  # noqa: E402  (the line above must come first)
from ministack.services import lambda_svc  # noqa: E402

restore_positions = lambda_svc._restore_esm_positions


def restore_from_the_beginning(store, positions):
    restore_positions(store, positions)
    if store is lambda_svc._dynamodb_stream_positions:
        for key in list(store._data):
            store._data[key] = 0


def stop_with_parent():
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def run():
    marker = os.environ.pop("PADDOCK_ENGINE_MARKER", "")
    tied = os.environ.pop("PADDOCK_ENGINE_TIED", "") == "1"
    app._port_is_bindable = lambda host, port: False
    lambda_svc._restore_esm_positions = restore_from_the_beginning
    if tied:
        threading.Thread(target=stop_with_parent, daemon=True).start()
    if marker:
        with open(marker, "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    app.main()
    if marker:
        os.remove(marker)


if __name__ == "__main__":
    run()
