"""
Serving: a pool of processes that share one model
=================================================

Each process of the pool maps the same model file into its memory, so the pages of its weights are there once, however
many processes there are. They accept connections on one socket and answer rows in JSON with predictions in JSON; no
package beside NumPy and skbnn is imported. A client measures requests a second, of single rows and of batches.

``python examples/serving.py [PROCESSES] [SECONDS]``
"""

import json
import multiprocessing
import os
import socket
import sys
import tempfile
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from time import perf_counter

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read on import: processes share the cores, none needs several

from skbnn import load_model, save_model

BATCH = 256  # rows of a large request
MOST_BYTES = 2**24  # of any request


class Handler(BaseHTTPRequestHandler):
    """Answers ``{"rows": [[...], ...]}`` with ``{"predictions": [...]}``, and what is wrong with a row with 400."""

    protocol_version = "HTTP/1.1"  # connections stay open
    timeout = 5  # seconds without a request, after which a connection gives way to others
    disable_nagle_algorithm = True

    def do_POST(self):
        """Answer one request."""
        try:
            n_bytes = int(self.headers["Content-Length"])
            if not 0 <= n_bytes <= MOST_BYTES:
                raise ValueError(f"a request has at most {MOST_BYTES} bytes")
            rows = json.loads(self.rfile.read(n_bytes))["rows"]
            status, answer = 200, {"predictions": self.server.network.predict(rows).tolist()}
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            status, answer = 400, {"error": str(error)}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing is printed for each request."""


class Server(HTTPServer):
    """Serves connections of a socket that other processes accept from as well."""

    def __init__(self, listening, path):
        super().__init__(listening.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.network = load_model(path)


def serve(listening, path):
    """What each process of the pool runs."""
    Server(listening, path).serve_forever()


def ask(address, rows, stop, counts):
    """A client with one connection: requests until it is time to stop."""
    connection, body, n_requests = HTTPConnection(*address), json.dumps({"rows": rows}), 0
    while perf_counter() < stop:
        connection.request("POST", "/", body)
        answer = json.loads(connection.getresponse().read())
        assert len(answer["predictions"]) == len(rows), answer
        n_requests += 1
    connection.close()
    counts.append(n_requests)


def requests_a_second(address, rows, n_clients, seconds):
    """Of clients that ask all the time."""
    counts, start = [], perf_counter()
    clients = [Thread(target=ask, args=(address, rows, start + seconds, counts)) for _ in range(n_clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(counts) / (perf_counter() - start)


def train(path):
    """Save a model of the digits; returns their rows."""
    from sklearn.datasets import load_digits

    from skbnn import BinaryMLPClassifier

    X, y = load_digits(return_X_y=True)
    save_model(BinaryMLPClassifier(random_state=0).fit(X, y), path)
    return X


def measured(n_processes, seconds):
    """Train, start the pool, and yield the rows of a request and how many requests it answers a second."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        path = Path(folder, "digits.skbnn")
        X = train(path)
        context = multiprocessing.get_context("spawn")  # as a server would start: without what trained the model
        pool = [context.Process(target=serve, args=(listening, path), daemon=True) for _ in range(n_processes)]
        for process in pool:
            process.start()
        address = listening.getsockname()
        ask(address, X[:1].tolist(), perf_counter() + 0.1, [])  # waits for the first process
        for n_rows in 1, BATCH:
            yield n_rows, requests_a_second(address, X[:n_rows].tolist(), n_processes, seconds)
        for process in pool:
            process.terminate()
            process.join()


if __name__ == "__main__":
    n_processes, seconds = int((sys.argv[1:] or [2])[0]), float((sys.argv[2:] or [2])[0])
    for n_rows, rate in measured(n_processes, seconds):
        print(f"{n_processes} processes, requests of {n_rows:>3} rows: {rate:,.0f} a second")
