"""Serves a folder by byte ranges, as the stores of cloud-optimised files do; run as a process of its own.

Prints its port, then one line with the bytes sent for each answer.
"""

from __future__ import annotations

import functools
import http.server
import sys
from pathlib import Path


class Ranges(http.server.SimpleHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        span = self.headers.get("Range")
        first, last = 0, len(data) - 1
        if span:
            low, _, high = span.removeprefix("bytes=").partition("-")
            first, last = int(low), min(int(high or last), last)
        part = data[first : last + 1]
        self.send_response(206 if span else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        if span:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        if body:
            self.wfile.write(part)
            print(len(part), flush=True)

    def log_message(self, *arguments: object) -> None:
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Ranges, directory=sys.argv[1]))
    print(server.server_port, flush=True)
    server.serve_forever()
