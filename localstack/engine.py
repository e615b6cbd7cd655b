"""Starts the local engine for this project.

Seven things differ from the engine's own command:

* uvicorn with its parts in C serves it, on the port that was given and never on
  443 beside it, and writes head and body of an answer at once; and expressions
  are checked once and not for each item. Together that halves what a request
  costs;
* a policy's text is parsed once, and a caller's name is looked up where a
  policy asks for it: what a caller may is decided as before, at each request;
* the Lambda runtime interface sends without Nagle's delay (a warm call takes
  about 11 ms instead of 55 ms);
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

import contextvars
import functools
import gc
import os
import resource
import signal
import socketserver
import sys
import threading

socketserver.StreamRequestHandler.disable_nagle_algorithm = True

import uvicorn  # noqa: E402  (the line above must come first)
from ministack import app  # noqa: E402
from ministack.core import iam_evaluator, tls  # noqa: E402
from ministack.services import dynamodb, lambda_svc  # noqa: E402
from uvicorn.protocols.http import httptools_impl  # noqa: E402

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


def remember(function):
    """Keeps what a pure function of an expression's text answers."""
    return functools.lru_cache(maxsize=1024)(function)


def parse_once(parse):
    """Parses a policy that is text once; nothing changes what comes of it."""
    of_text = remember(parse)
    return lambda document: of_text(document) if isinstance(document, str) else parse(document)


class WhenAsked:
    """Stands for the variable of a request's caller; set to what finds it out."""

    def __init__(self):
        self.variable = contextvars.ContextVar("caller", default=str)

    def set(self, find):
        self.variable.set(find)

    def get(self):
        return self.variable.get()()


def pin_request_caller(headers, query_params=None):
    if app.AUTH:
        find = functools.partial(iam_evaluator.request_caller_arn, headers, query_params)
        iam_evaluator._request_caller_arn.set(find)


class WithItsHead:
    """A transport that writes the head of an answer with what follows it."""

    def __init__(self, transport):
        self.transport, self.head, self.held = transport, b"", False

    def __getattr__(self, name):
        return getattr(self.transport, name)

    def write(self, data):
        self.head += data
        if not self.held:
            self.flush()

    def flush(self):
        if self.head:
            self.transport.write(self.head)
            self.head = b""

    def close(self):
        self.flush()
        self.transport.close()


class AtOnce(httptools_impl.RequestResponseCycle):
    """Writes an answer that is whole in one piece, and each later part as it comes."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.transport = WithItsHead(self.transport)

    async def send(self, message):
        self.transport.held = message["type"] == "http.response.start"
        await super().send(message)
        if not self.transport.held:
            self.transport.flush()


def serve():
    """Serves until it is told to stop; raises when it could not begin or end whole."""
    certificate, key = tls.resolve_tls_material() if tls.use_ssl_enabled() else (None, None)
    server = uvicorn.Server(
        uvicorn.Config(
            app.app,
            host=os.environ.get("BIND_HOST", "0.0.0.0"),
            port=int(app._resolve_port()),
            loop="uvloop",
            http="httptools",
            ws="wsproto",
            lifespan="on",
            ssl_certfile=certificate,
            ssl_keyfile=key,
            log_level=app.LOG_LEVEL.lower(),
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
        )
    )
    # The server raises the signal that stopped it once more when it has ended.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: None)
    server.run()
    if not server.started or server.lifespan.should_exit:
        sys.exit("the engine did not begin, or did not end whole")


def run():
    marker = os.environ.pop("PADDOCK_ENGINE_MARKER", "")
    tied = os.environ.pop("PADDOCK_ENGINE_TIED", "") == "1"
    dynamodb._condition_syntax_error = remember(dynamodb._condition_syntax_error)
    dynamodb._tokenize = remember(dynamodb._tokenize)
    iam_evaluator.parse_policy_document = parse_once(iam_evaluator.parse_policy_document)
    iam_evaluator._request_caller_arn = WhenAsked()
    iam_evaluator.pin_request_caller = pin_request_caller
    httptools_impl.RequestResponseCycle = AtOnce
    lambda_svc._restore_esm_positions = restore_from_the_beginning
    if tied:
        threading.Thread(target=stop_with_parent, daemon=True).start()
    if marker:
        with open(marker, "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    serve()
    if marker:
        os.remove(marker)


if __name__ == "__main__":
    run()
